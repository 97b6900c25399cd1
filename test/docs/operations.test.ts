import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { builtProgram, run } from '../cli/command.ts';
import { openClient } from '../support/clients.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { until, watch } from '../support/until.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/operations.md'), 'utf8');

/** Command lines of the page's ```console blocks, with what they print. */
const sessions = [...page.matchAll(/^```console\n(.*?)^```/gms)].flatMap(([, block = '']) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((shown) => {
      const [line = '', ...output] = shown.trimEnd().split('\n');
      return { line, output: output.join('\n') };
    }),
);

/** What differs from run to run is the same in both then: durations, ids, the width of columns. */
const steady = (output: string) =>
  output
    .replace(/[\w-]+:[\w-]{10}\/\d+\/\d+\/\d+/g, 'PERMIT')
    .replace(/[\w-]+:[\w-]{10}(?=\s)/g, 'CLIENT')
    .replace(/\b[\d.]+ (ms|s|min)\b/g, 'TIME')
    .replace(/"oldestWaitMs":\d+/g, '"oldestWaitMs":TIME')
    .replace(/\b\d{16}\b/g, 'TOKEN')
    .replace(/ +/g, ' ')
    .trim();

/** The semaphores that the page shows. */
async function scene() {
  const prefix = uniquePrefix();
  const web = openClient({ prefix, label: 'web-3' });
  const cron = openClient({ prefix, label: 'cron' });
  const api = web.semaphore('payments-api', { limit: 3 });
  const permit = await api.acquire({ weight: 2 });
  await api.acquire({ leaseMs: 60_000 });
  for (let i = 0; i < 2; i++) watch(api.acquire({ weight: 2 }));
  await cron.semaphore('nightly-report', { limit: 1 }).acquire();
  await (await cron.semaphore('encoder', { limit: 8 }).acquire()).release();
  await until('two wait', async () => (await web.inspect('payments-api')).waiting === 2);
  return { prefix, permitId: permit.id };
}

it('every command line of the page prints what the page shows', { timeout: 60_000 }, async () => {
  const { prefix, permitId } = await scene();
  const folder = mkdtempSync(join(tmpdir(), 'parkade-docs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const wrapper = `#!/bin/sh\nexec '${process.execPath}' '${await builtProgram()}' "$@"\n`;
  for (const [file, content] of [
    ['parkade', wrapper],
    ['report.sh', '#!/bin/sh\necho "report of token $PARKADE_FENCING_TOKEN"\n'],
  ] as const) {
    writeFileSync(join(folder, file), content);
    chmodSync(join(folder, file), 0o755);
  }
  const env = {
    ...process.env,
    PATH: `${folder}:${process.env['PATH']}`,
    REDIS_URL: redisUrl(),
    PARKADE_PREFIX: prefix,
  };
  expect(sessions.length).toBeGreaterThan(5);
  for (const { line, output } of sessions) {
    const command = line.replace(/[\w-]+:[\w-]{10}\/\d+\/\d+\/\d+/, permitId);
    const child = spawn('sh', ['-c', `{ ${command}\n} 2>&1`], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(`$ ${line}\n${steady(said)}`).toBe(`$ ${line}\n${steady(output)}`);
  }
});

it('every option that the page names with a command is one of that command', async () => {
  const used = new Map<string, Set<string>>();
  for (const [, command = '', rest = ''] of page.matchAll(/\bparkade ([a-z]+)((?: (?!-- )[^\s`|]+)*)/g)) {
    const options = used.get(command) ?? new Set();
    used.set(command, options);
    for (const [option] of rest.matchAll(/(?<=\s)--[a-z-]+/g)) options.add(option);
  }
  const commands = [
    'run',
    'list',
    'inspect',
    'top',
    'resize',
    'revoke',
    'exporter',
    'dashboard',
    'completion',
  ];
  expect([...used.keys()].filter((command) => commands.includes(command)).sort()).toEqual(
    [...commands].sort(),
  );
  for (const [command, options] of used) {
    const help = options.size > 0 ? (await run([command, '--help'])).stdout : '';
    for (const option of options) expect(help, `parkade ${command}`).toContain(`${option} `);
  }
});
