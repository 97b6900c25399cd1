import { describe, expect, it } from 'vitest';
import { openClient } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { until, watch } from '../support/until.ts';
import { run } from './command.ts';

/** A semaphore of 3 of which 2 units are held, and one waits for 2. */
async function scene() {
  const prefix = uniquePrefix();
  const client = openClient({ prefix });
  const semaphore = client.semaphore('api', { limit: 3 });
  const permit = await semaphore.acquire({ weight: 2 });
  const waiting = watch(semaphore.acquire({ weight: 2 }));
  await until('it waits', async () => (await client.inspect('api')).waiting === 1);
  const parkade = (command: string, ...args: string[]) => run([command, '--prefix', prefix, ...args]);
  return { client, semaphore, permit, waiting, parkade };
}

describe('parkade list', () => {
  it('prints each semaphore with its limit, units held and how many wait, as text or as JSON', async () => {
    const { client, parkade } = await scene();
    await (await client.semaphore('jobs:1', { limit: 10 }).acquire()).release();
    const plain = await parkade('list');
    expect(plain).toMatchObject({ code: 0, stderr: '' });
    expect(plain.stdout.replace(/[\d.]+ m?s$/m, 'TIME')).toBe(
      'SEMAPHORE  LIMIT  HELD  WAITING  LONGEST WAIT\napi            3     2        1  TIME\njobs:1        10     0        0\n',
    );
    const json = (await parkade('list', 'a*', '--json')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(json).toEqual([
      {
        name: 'api',
        limit: 3,
        held: 2,
        available: 1,
        holding: 1,
        waiting: 1,
        oldestWaitMs: expect.any(Number),
      },
    ]);
  });
});

describe('parkade inspect', () => {
  it('prints who holds and who waits, as text or as JSON', async () => {
    const { client, permit, parkade } = await scene();
    const { stdout } = await parkade('inspect', 'api');
    expect(stdout).toMatch(/^api: 2 of 3 units held by 1 permits, 1 waiting\n/);
    expect(stdout).toContain(permit.id);
    const json = JSON.parse((await parkade('inspect', 'api', '--json')).stdout);
    expect(json).toMatchObject({
      held: 2,
      holders: [{ id: permit.id, client: client.id }],
      waiters: [{ weight: 2, position: 0 }],
    });
  });

  it('of a name that nobody uses says so, and ends with 1', async () => {
    const { parkade } = await scene();
    const result = await parkade('inspect', 'nobody');
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(/^parkade: no semaphore 'nobody' .*\n$/);
  });
});

describe('parkade resize', () => {
  it('sets the limit and serves the next at once, whatever was declared', async () => {
    const { client, waiting, parkade } = await scene();
    expect(await parkade('resize', 'api', '4')).toMatchObject({ code: 0, stdout: 'api: limit 3 → 4\n' });
    await until('it is served', () => waiting.state === 'resolved');
    expect(await client.inspect('api')).toMatchObject({ limit: 4, held: 4 });
    expect(JSON.parse((await parkade('resize', 'api', '5', '--json')).stdout)).toEqual({
      name: 'api',
      limit: 5,
      limitBefore: 4,
    });
  });

  it('makes no semaphore of a name that nobody uses', async () => {
    const { client, parkade } = await scene();
    expect(await parkade('resize', 'apo', '4')).toMatchObject({ code: 1, stdout: '' });
    expect(await client.inspect('apo')).toMatchObject({ exists: false });
  });
});

describe('parkade revoke', () => {
  it('takes a permit from its holder, and says when nobody has it', async () => {
    const { permit, waiting, parkade } = await scene();
    expect(await parkade('revoke', 'api', permit.id)).toMatchObject({
      code: 0,
      stdout: `api: revoked ${permit.id}\n`,
    });
    await until('the holder is told', () => permit.signal.aborted);
    await until('the next is served', () => waiting.state === 'resolved');
    expect(await parkade('revoke', 'api', 'x/1/1/1000')).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('whatever is wrong', () => {
  it.each([
    ['an id that is none', ['revoke', 'api', 'abc'], 64],
    ['a limit that is none', ['resize', 'api', 'many'], 64],
    ['a name that is none', ['inspect', 'a{b'], 64],
    ['an unknown option', ['list', '--jsno'], 64],
    ['an unknown command', ['lst'], 64],
    ['a url that is none', ['list', '--redis', 'http://localhost'], 64],
  ])('%s is said in a line without a stack, and ends with its exit code', async (_what, args, code) => {
    const result = await run(args);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).not.toMatch(/\n {4}at /);
    expect(result.stderr).toMatch(/^parkade: [^\n]+\n$/);
  });

  it('a Redis that is not there is said in a line, and ends with 69', async () => {
    const result = await run(['list', '--redis', 'redis://127.0.0.1:1']);
    expect(result).toMatchObject({ code: 69, stdout: '' });
    expect(result.stderr).toMatch(/^parkade: Redis at 127\.0\.0\.1:1 did not answer .*ECONNREFUSED.*\n$/);
  });

  it('--help has examples and exit codes, of each command', async () => {
    const commands = ['run', 'list', 'inspect', 'top', 'resize', 'revoke', 'exporter', 'completion'];
    for (const args of [[], ...commands.map((command) => [command])]) {
      const { code, stdout } = await run([...args, '--help']);
      expect(code).toBe(0);
      expect(stdout).toMatch(/Examples?:\n {2}/);
    }
  });
});
