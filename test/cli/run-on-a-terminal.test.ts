import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stripVTControlCharacters as plain } from 'node:util';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openClient } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { builtProgram } from './command.ts';
import { hasTerminals, openTerminal } from './terminal.ts';

let program: string;
beforeAll(async () => {
  program = await builtProgram();
});

const setting = () => {
  const prefix = uniquePrefix();
  const client = openClient({ prefix });
  const semaphore = client.semaphore('api', { limit: 1 });
  const args = (...own: string[]) => [program, 'run', 'api', '--limit', '1', '--prefix', prefix, ...own];
  const waits = () => until('it waits', async () => (await client.inspect('api')).waiting === 1);
  return { client, semaphore, args, waits };
};

/** Tells which signals it gets, and ends on SIGUSR2. */
const listener = [process.execPath, resolve(import.meta.dirname, 'listener.mjs')];

/** What remains on the screen, where lines are only ever emptied and written from their start. */
const remains = (output: string) =>
  plain(
    output
      .split('\r\n')
      .map((line) => line.split('\r\u001b[K').at(-1))
      .join('\n'),
  );

const isStopped = (pid: number | undefined) =>
  spawnSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).stdout.startsWith('T');

describe.skipIf(!hasTerminals)('parkade run on a terminal', () => {
  it('shows its place in line while it waits, and leaves nothing of it when its turn comes', async () => {
    const { semaphore, args, waits } = setting();
    const permit = await semaphore.acquire();
    const terminal = openTerminal(process.execPath, args('--', 'echo', 'ran'));
    await waits();
    await terminal.shows(/parkade: place 1 of 1 in line for api, 1 of 1 units held, waited [\d.]+ m?s/);
    await permit.release();
    expect(await terminal.code).toBe(0);
    expect(remains(terminal.output())).toBe('ran\n');
  });

  it('shows it when only stderr is the terminal, and writes nothing into a pipe', async () => {
    const { semaphore, args, waits } = setting();
    const file = join(tmpdir(), uniquePrefix());
    onTestFinished(() => void spawnSync('rm', ['-f', file]));
    const permit = await semaphore.acquire();
    const script = '"$@" < /etc/hostname | cat > "$FILE"; echo done';
    const command = [process.execPath, ...args('--', 'echo', 'ran')];
    const terminal = openTerminal('sh', ['-c', script, 'sh', ...command], { FILE: file });
    await waits();
    await terminal.shows(/place 1 of 1/);
    await permit.release();
    expect(await terminal.code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('ran\n');
    expect(remains(terminal.output())).toBe('done\n');
  });

  it.each([
    ['where many share the terminal, as under xargs', '/dev/null', []],
    ['with --quiet', '/dev/tty', ['--quiet']],
  ] as const)('shows nothing %s', async (_where, stdin, more) => {
    const { semaphore, args, waits } = setting();
    await semaphore.acquire();
    const command = [process.execPath, ...args('--timeout', '1500ms', ...more, '--', 'echo', 'ran')];
    const terminal = openTerminal('sh', ['-c', '"$@" < "$STDIN"', 'sh', ...command], { STDIN: stdin });
    await waits();
    expect(await terminal.code).toBe(75);
    expect(terminal.output()).toMatch(/^parkade: No permit of 'api' within 1500 ms[^\n]*\r\n$/);
  });

  it('passes on what comes to parkade alone, and not what came to the whole group: the command gets each once', async () => {
    const { args } = setting();
    const terminal = openTerminal(process.execPath, args('--', ...listener));
    const [, pid] = await terminal.shows(/ready (\d+)/);
    const parkade = Number(pid);
    const counts: Record<string, number> = {};
    const hears = async (signal: NodeJS.Signals) => {
      counts[signal] = (counts[signal] ?? 0) + 1;
      await terminal.shows(new RegExp(`(heard ${signal}[^]*){${counts[signal]}}`));
    };
    terminal.press('\u0003');
    await hears('SIGINT');
    terminal.press('\u001c');
    await hears('SIGQUIT');
    terminal.resize(30, 90);
    await hears('SIGWINCH');
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGWINCH', 'SIGUSR1'] as const) {
      process.kill(parkade, signal);
      await hears(signal);
      process.kill(-parkade, signal);
      await hears(signal);
    }
    process.kill(parkade, 'SIGUSR2');
    expect(await terminal.code).toBe(5);
    expect(JSON.parse(/counts (.*)/.exec(terminal.output())?.[1] ?? '')).toEqual({ ...counts, SIGUSR2: 1 });
  });

  it('ends by SIGINT when the command does, so that a script that Ctrl-C ends does not go on', async () => {
    const { args } = setting();
    const command = [process.execPath, ...args('--', 'sh', '-c', 'echo ready; exec sleep 60')];
    const terminal = openTerminal('bash', ['-c', '"$@"; echo went on', 'bash', ...command]);
    await terminal.shows(/ready/);
    terminal.press('\u0003');
    expect(await terminal.code).toBe(256 - 2);
    expect(terminal.output()).not.toContain('went on');
  });

  it('Ctrl-Z stops the command with it and gives the shell its prompt; fg continues both', async () => {
    const { client, args } = setting();
    const shell = openTerminal('bash', ['--norc', '--noprofile', '-i'], { PS1: '$ ' });
    shell.press(`${[process.execPath, ...args('--', ...listener)].join(' ')}\r`);
    const [, parkade, child] = (await shell.shows(/ready (\d+) (\d+)\r/)).map(Number);
    shell.press('\u001a');
    await shell.shows(/Stopped/);
    await until('both are stopped', () => isStopped(parkade) && isStopped(child));
    shell.press('fg\r');
    await shell.shows(/heard SIGCONT/);
    process.kill(parkade as number, 'SIGUSR2');
    await shell.shows(/counts \{"SIGCONT":1,"SIGUSR2":1\}/);
    await until('its permit is back', async () => (await client.inspect('api')).held === 0);
  });

  it('SIGTSTP to parkade alone stops the command as well, and SIGCONT continues it', async () => {
    const { args } = setting();
    const shell = openTerminal('bash', ['--norc', '--noprofile', '-i'], { PS1: '$ ' });
    shell.press(`${[process.execPath, ...args('--', ...listener)].join(' ')} &\r`);
    const [, parkade, child] = (await shell.shows(/ready (\d+) (\d+)\r/)).map(Number);
    process.kill(parkade as number, 'SIGTSTP');
    await until('both are stopped', () => isStopped(parkade) && isStopped(child));
    process.kill(parkade as number, 'SIGCONT');
    await shell.shows(/heard SIGCONT/);
    process.kill(parkade as number, 'SIGUSR2');
    await shell.shows(/counts \{"SIGCONT":1,"SIGUSR2":1\}/);
  });

  it('a job that was stopped for longer than its lease is ended when it goes on, with 79', async () => {
    const { args, semaphore } = setting();
    const command = [
      process.execPath,
      ...args('--lease', '1s', '--', 'sh', '-c', 'echo ready; exec sleep 60'),
    ];
    const shell = openTerminal('bash', ['--norc', '--noprofile', '-i'], { PS1: '$ ' });
    shell.press(`${command.map((arg) => `'${arg}'`).join(' ')}\r`);
    await shell.shows(/\rready/);
    shell.press('\u001a');
    await shell.shows(/Stopped/);
    await (await semaphore.acquire()).release();
    shell.press('fg\r');
    await shell.shows(/is lost: .* was told to end, and ended with 143/);
    shell.press('echo "ended with $?"\r');
    await shell.shows(/ended with 79/);
  });
});
