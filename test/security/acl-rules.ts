import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';

/** The files of examples/acl/. */
export type Example = 'service' | 'service-cluster' | 'sentinel' | 'reader';

const folder = join(import.meta.dirname, '../../examples/acl');

/** The line of an example, as it would stand in Redis's `aclfile`, without `user NAME`. */
export function rulesOf(example: Example): string[] {
  const [word, name, ...rules] = readFileSync(join(folder, `${example}.acl`), 'utf8')
    .trim()
    .split(' ');
  if (word !== 'user' || name !== `parkade-${example}` || !rules.includes('>CHANGE-ME')) {
    throw new Error(`examples/acl/${example}.acl is not the line that it should be.`);
  }
  return rules;
}

/** What an example grants: commands, keys and channels, each of which may be taken away. */
export function rightsOf(example: Example): string[] {
  return rulesOf(example).filter((rule) => /^[+~&]/.test(rule));
}

/** Makes a user by these rules, and nothing else; answers the url by which it connects. */
export async function makeUser(
  admin: Redis,
  url: string,
  name: string,
  rules: readonly string[],
): Promise<string> {
  await admin.call('ACL', 'SETUSER', name, 'reset', ...rules);
  return url.replace('//', `//${name}:CHANGE-ME@`);
}
