import { type ExecFileException, execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { nodeArgs } from '../../support/redis/watched.ts';
import { redisUrl } from './redis.ts';

const folder = new URL('../../examples/', import.meta.url);

/** What examples/README.md shows: the arguments of each command, and the lines that it is said to print. */
export const shown: ReadonlyMap<string, readonly string[]> = new Map(
  [...readFileSync(new URL('README.md', folder), 'utf8').matchAll(/```console\n\$ (.+)\n([^`]*)```/g)].map(
    ([, command = '', output = '']) => [
      command.replace('npm run redis -- npx tsx examples/', ''),
      output.split('\n').filter((line) => line !== '' && line !== '…'),
    ],
  ),
);

/**
 * Runs an example as a user does, to its end, and returns the lines that it printed. They are also compared with what
 * examples/README.md shows: each of those lines must be among them, but for the numbers.
 *
 * @param command file and arguments, as in the README
 */
export async function runExample(command: string, env: Record<string, string> = {}): Promise<string[]> {
  const lines = await run(command.split(' '), env);
  const printed = lines.map(withoutNumbers);
  const missing = (shown.get(command) ?? []).filter((line) => !printed.includes(withoutNumbers(line)));
  expect(missing, `what examples/README.md shows of ${command} is not in:\n${lines.join('\n')}`).toEqual([]);
  return lines;
}

const withoutNumbers = (line: string) => line.replace(/\d+(\.\d+)?/g, '#');

function run([file = '', ...args]: string[], env: Record<string, string>): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env, REDIS_URL: redisUrl() }, timeout: 80_000 };
    const done = (error: ExecFileException | null, stdout: string, stderr: string) => {
      if (error || stderr !== '') {
        reject(new Error(`${file} failed, or complained:\n${stdout}${stderr}`, { cause: error }));
      } else {
        resolve(stdout.trimEnd().split('\n'));
      }
    };
    execFile(process.execPath, [...nodeArgs, fileURLToPath(new URL(file, folder)), ...args], options, done);
  });
}
