import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openClient } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { builtProgram, run } from './command.ts';
import { hasTerminals, openTerminal } from './terminal.ts';

const isThere = (shell: string) => hasTerminals && spawnSync(shell, ['--version']).status === 0;

/** A semaphore with a colon in its name and one holder; another beside it. */
async function scene() {
  const prefix = uniquePrefix();
  const client = openClient({ prefix, label: 'web:1' });
  const permit = await client.semaphore('jobs:one', { limit: 3 }).acquire();
  await (await client.semaphore('mail', { limit: 1 }).acquire()).release();
  return { prefix, permit };
}

/** A shell that has read the completion, in a home of its own where `parkade` is on the PATH. */
async function openShell(shell: string, args: readonly string[], reads: string, prefix: string) {
  const home = mkdtempSync(join(tmpdir(), 'parkade-shell-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  writeFileSync(
    join(home, 'parkade'),
    `#!/bin/sh\nexec '${process.execPath}' '${await builtProgram()}' "$@"\n`,
  );
  chmodSync(join(home, 'parkade'), 0o755);
  const terminal = openTerminal(shell, args, {
    HOME: home,
    PATH: `${home}:${process.env['PATH']}`,
    PARKADE_PREFIX: prefix,
    PS1: '$ ',
  });
  terminal.press(`${reads}; echo re''ady\r`);
  await terminal.shows(/ready/);
  return terminal;
}

describe('completion', () => {
  it.for([
    ['bash', ['--norc', '--noprofile', '-i'], 'source <(parkade completion bash)'],
    ['zsh', ['-f', '-i'], 'autoload -U compinit; compinit -u -D; source <(parkade completion zsh)'],
    ['fish', ['--no-config', '-i'], 'parkade completion fish | source'],
  ] as const)(
    'of %s has commands, options, names of semaphores and permits',
    { timeout: 60_000 },
    async ([shell, args, reads], { skip }) => {
      skip(!isThere(shell), `${shell} is not installed, or python3, which makes the terminal`);
      const { prefix, permit } = await scene();
      const terminal = await openShell(shell, args, reads, prefix);
      terminal.press('parkade ins\tjobs:o\t\r');
      await terminal.shows(/jobs:one: 1 of 3 units held/);
      terminal.press('parkade list --js\t\r');
      await terminal.shows(/\{"name":"mail"/);
      terminal.press('parkade revoke jobs:one web\t\r');
      await until('the permit is revoked', () => permit.signal.aborted);
      terminal.press('parkade run mail --limit 1 -- /bin/ech\tdo"ne"\r');
      await terminal.shows(/[\r\n]done\r/);
    },
  );

  it('knows what options take, and what is not for it to know', async () => {
    const { prefix } = await scene();
    const complete = async (...words: string[]) => {
      const { code, stdout, stderr } = await run(['complete', '--', ...words], { PARKADE_PREFIX: prefix });
      expect(stderr).toBe('');
      return code === 0 ? stdout.split('\n').map((line) => line.split('\t')[0]) : code;
    };
    const [commands, policies, names, afterLimit, file, command] = await Promise.all([
      complete('re'),
      complete('run', 'x', '--on-limit-mismatch', ''),
      complete('top', '--interval', '1s', ''),
      complete('run', 'x', '--limit', ''),
      complete('list', '--tls-ca', '/etc/'),
      complete('run', 'x', '--limit', '1', '--', 'gre'),
    ]);
    expect(commands).toEqual(['resize', 'revoke', '']);
    expect(policies).toEqual(['error', 'adopt', 'resize', '']);
    expect(names).toEqual(expect.arrayContaining(['jobs:one', 'mail']));
    expect(afterLimit).toEqual(['']);
    expect([file, command]).toEqual([2, 3]);
  });

  it('offers nothing and says nothing when Redis is not there', async () => {
    expect(await run(['complete', '--', 'inspect', '--redis', 'redis://127.0.0.1:1', ''])).toEqual({
      code: 0,
      signal: null,
      stdout: '',
      stderr: '',
    });
  });
});
