import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openClient } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { run, start } from './command.ts';

const setting = () => {
  const prefix = uniquePrefix();
  const args = (...own: string[]) => ['run', 'api', '--limit', '1', '--prefix', prefix, ...own];
  return { prefix, args, client: openClient({ prefix }) };
};

describe('parkade run', () => {
  it('gives the command its stdin, stdout and stderr, and ends with its exit code', async () => {
    const { args, client } = setting();
    const { child, ended } = await start(args('--', 'sh', '-c', 'cat; echo problem >&2; exit 7'));
    child.stdin.end('in and out\n');
    expect(await ended).toEqual({ code: 7, signal: null, stdout: 'in and out\n', stderr: 'problem\n' });
    expect(await client.inspect('api')).toMatchObject({ held: 0, waiting: 0, limit: 1 });
  });

  it('tells the command its semaphore, its permit and its fencing token, which rises', async () => {
    const { args, client } = setting();
    const print = 'echo "$PARKADE_NAME $PARKADE_PERMIT_ID $PARKADE_FENCING_TOKEN"';
    const lines = [];
    for (let i = 0; i < 2; i++) {
      lines.push((await run(args('--label', 'job', '--', 'sh', '-c', print))).stdout.split(' '));
    }
    const [first, second] = lines;
    expect(first?.[0]).toBe('api');
    expect(first?.[1]).toMatch(/^job:.+\/1\/1\/\d+$/);
    expect(Number(second?.[2])).toBeGreaterThan(Number(first?.[2]));
    expect(await client.inspect('api')).toMatchObject({ exists: true, held: 0 });
  });

  it('waits its turn', async () => {
    const { args, client } = setting();
    const permit = await client.semaphore('api', { limit: 1 }).acquire();
    const { ended } = await start(args('--', 'echo', 'ran'));
    await until('it waits', async () => (await client.inspect('api')).waiting === 1);
    await permit.release();
    expect(await ended).toMatchObject({ code: 0, stdout: 'ran\n', stderr: '' });
  });

  it.each(['0', '200ms'])(
    'ends with 75 when there is no permit within --timeout %s, and runs nothing',
    async (timeout) => {
      const { args, client } = setting();
      await client.semaphore('api', { limit: 1 }).acquire();
      const result = await run(args('--timeout', timeout, '--', 'echo', 'ran'));
      expect(result).toMatchObject({ code: 75, stdout: '' });
      expect(result.stderr).toMatch(/^parkade: No permit of 'api' within \d+ ms.*\n$/);
      expect(await client.inspect('api')).toMatchObject({ waiting: 0 });
    },
  );

  it.each([
    ['127', ['/no/such/program'], /not found/],
    ['126', ['/etc/passwd'], /can't be run/],
  ] as const)(
    'ends with %s, as shells do, when the command can not be begun, and gives the permit back',
    async (code, command, why) => {
      const { args, client } = setting();
      const result = await run(args('--', ...command));
      expect(result.code).toBe(Number(code));
      expect(result.stderr).toMatch(why);
      expect(await client.inspect('api')).toMatchObject({ held: 0 });
    },
  );

  it('ends with 128 and the number of the signal that ended the command', async () => {
    const { args } = setting();
    expect(await run(args('--', 'sh', '-c', 'kill -KILL $$'))).toMatchObject({ code: 137 });
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const)(
    'passes %s on, and waits for the command to end',
    async (signal) => {
      const { args, client } = setting();
      const script = `process.on('${signal}', () => { console.log('heard'); process.exit(3); }); console.log('ready'); setInterval(() => {}, 1000);`;
      const { child, ended } = await start(args('--', process.execPath, '-e', script));
      await once(child.stdout as Readable, 'data');
      child.kill(signal);
      expect(await ended).toMatchObject({ code: 3, stdout: 'ready\nheard\n' });
      expect(await client.inspect('api')).toMatchObject({ held: 0 });
    },
  );

  it('leaves the line at once on a signal while it waits, and ends as killed by it', async () => {
    const { args, client } = setting();
    await client.semaphore('api', { limit: 1 }).acquire();
    const { child, ended } = await start(args('--', 'echo', 'ran'));
    await until('it waits', async () => (await client.inspect('api')).waiting === 1);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 143, stdout: '' });
    expect(await client.inspect('api')).toMatchObject({ waiting: 0 });
  });

  it('ends a command whose permit was revoked with SIGTERM, then SIGKILL after the grace time, and ends with 79', async () => {
    const { args, client } = setting();
    const script =
      "process.on('SIGTERM', () => console.log('asked to end')); console.log('ready'); setInterval(() => {}, 1000);";
    const { child, ended } = await start(
      args('--lease', '900ms', '--grace', '300ms', '--', process.execPath, '-e', script),
    );
    await once(child.stdout as Readable, 'data');
    const [holder] = (await client.inspect('api')).holders;
    expect(await client.revoke('api', holder?.id ?? '')).toBe(true);
    const result = await ended;
    expect(result).toMatchObject({ code: 79, stdout: 'ready\nasked to end\n' });
    expect(result.stderr).toMatch(/^parkade: Permit .* is lost: it was revoked\. .* ended with 137\.\n$/);
  });

  it('gives the permit back within the lease when it is killed itself', async () => {
    const { args, client } = setting();
    const { child } = await start(args('--lease', '1s', '--', 'sleep', '3'));
    await until('it holds', async () => (await client.inspect('api')).held === 1);
    child.kill('SIGKILL');
    const permit = await client.semaphore('api', { limit: 1 }).acquire({ timeoutMs: 10_000 });
    expect(permit.isHeld).toBe(true);
  });

  it('leaves no command behind when it is killed itself: SIGTERM, then SIGKILL after the grace time', async () => {
    const { args } = setting();
    const script =
      "process.on('SIGTERM', () => console.log('asked to end')); console.log('ready'); setInterval(() => {}, 1000);";
    const { child, ended } = await start(args('--grace', '1s', '--', process.execPath, '-e', script));
    await once(child.stdout as Readable, 'data');
    child.kill('SIGKILL');
    // Its stdout ends when the last that has it does: the command.
    expect(await ended).toMatchObject({ signal: 'SIGKILL', stdout: 'ready\nasked to end\n' });
  });

  it('ends with 78 when others declared another limit', async () => {
    const { args, client } = setting();
    await (await client.semaphore('api', { limit: 2 }).acquire()).release();
    expect(await run(args('--', 'echo', 'ran'))).toMatchObject({ code: 78, stdout: '' });
  });
});
