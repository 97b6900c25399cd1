import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';
import { redisUrl } from '../support/redis.ts';

const folder = resolve(import.meta.dirname, `../../.cache/cli-${process.pid}`);
const program = join(folder, 'main.mjs');
let built: Promise<unknown> | undefined;

/** The command as one file, which starts faster than its sources do. Removed with this process. */
function buildOnce(): Promise<unknown> {
  mkdirSync(folder, { recursive: true });
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return build({
    entryPoints: [resolve(import.meta.dirname, '../../src/cli/main.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['ioredis'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. Killed at the end of the test if it still does. */
export interface Started {
  readonly child: ChildProcess & { stdin: NonNullable<ChildProcess['stdin']> };
  readonly ended: Promise<Ended>;
}

/** Where the command is, as one file. */
export async function builtProgram(): Promise<string> {
  built ??= buildOnce();
  await built;
  return program;
}

export async function start(args: readonly string[], env: Record<string, string> = {}): Promise<Started> {
  const child = spawn(process.execPath, [await builtProgram(), ...args], {
    env: { ...process.env, REDIS_URL: redisUrl(), ...env },
    stdio: 'pipe',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  const ended = Promise.all([exit, text(child.stdout), text(child.stderr)]).then(
    ([[code, signal], stdout, stderr]) => ({ code, signal, stdout, stderr }) as Ended,
  );
  return { child, ended };
}

/** Runs a command to its end. */
export async function run(args: readonly string[], env?: Record<string, string>): Promise<Ended> {
  const { child, ended } = await start(args, env);
  child.stdin.end();
  return ended;
}
