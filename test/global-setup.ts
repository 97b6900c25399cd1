import type { TestProject } from 'vitest/node';
import { greet } from '../support/redis/greeting.ts';
import { NothingThere } from '../support/redis/ways.ts';
import type { Ground } from './support/ground.ts';
import { type KindName, kinds } from './support/kinds.ts';

declare module 'vitest' {
  interface ProvidedContext {
    ground: Ground;
  }
}

/** For a server that is there, on a machine that may be busy. */
const greetingLimitMs = 15_000;

/** Servers for all test files; each uses a prefix of its own. Tests that flush or kill start others. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const kind = project.name as KindName;
  const { title, servers } = kinds[kind] ?? refuse(kind);
  try {
    const { description, stop, again: _, pid: __, ...where } = await servers({});
    const version = await greet(where.adminUrls[0] as string, greetingLimitMs);
    console.log(`Tests run on ${title}, ${version}: ${description}`);
    project.provide('ground', { kind, ...where });
    return stop;
  } catch (error) {
    if (process.env['PARKADE_ON'] || !(error instanceof NothingThere)) throw error;
    console.log(`No tests run on ${title}: ${error.message}`);
    project.provide('ground', { kind, adminUrls: [], clientUrls: [], whyNot: error.message });
    return async () => {};
  }
}

function refuse(kind: string): never {
  throw new Error(`PARKADE_ON is '${kind}', but must be one of ${Object.keys(kinds).join(', ')}, or unset.`);
}
