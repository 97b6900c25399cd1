import { spawn, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { redisUrl } from '../support/redis.ts';
import { until } from '../support/until.ts';

/** Python makes the terminals. */
export const hasTerminals = spawnSync('python3', ['--version']).status === 0;
if (!hasTerminals) {
  console.log('Terminals are not tested: there is no python3, which makes them.');
}

/** A program on a terminal of its own, 24 by 100. Killed at the end of the test if it still runs. */
export function openTerminal(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const child = spawn('python3', [resolve(import.meta.dirname, 'terminal.py'), command, ...args], {
    env: { ...process.env, REDIS_URL: redisUrl(), TERM: 'xterm-256color', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.stdin.end()); // which kills the program
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const say = (order: object) => child.stdin.write(`${JSON.stringify(order)}\n`);
  return {
    /** The exit code, 256 less the signal if one ended it. */
    code: new Promise<number | null>((ended) => child.once('exit', ended)),
    press: (keys: string) => say({ keys }),
    resize: (rows: number, columns: number) => say({ size: [rows, columns] }),
    /** All that was written to the terminal so far. */
    output: () => output,
    /** Waits until that fits. */
    shows: (pattern: RegExp) => until(`it shows ${pattern}`, () => pattern.exec(output)),
  };
}
