import { afterAll, beforeAll, expect, it } from 'vitest';
import { SemaphoreClient } from '../../src/index.ts';
import { type RedisCluster, startCluster } from '../../support/redis/cluster.ts';
import { run } from '../cli/command.ts';
import { describeFleet } from './fleet.ts';

describeFleet('the url of a Cluster', () => {
  let cluster: RedisCluster;
  let url: string;
  beforeAll(async () => {
    cluster = await startCluster({ replicasEach: 0 });
    url = `redis-cluster://${cluster.startupNodes.map(({ host, port }) => `${host}:${port}`).join(',')}`;
  });
  afterAll(() => cluster?.stop());

  it('leads a client there; the command lists what all primaries have, each once', async () => {
    await using client = new SemaphoreClient(url);
    const names = Array.from({ length: 12 }, (_, i) => `job-${String(i).padStart(2, '0')}`);
    await Promise.all(names.map((name) => client.semaphore(name, { limit: 3 }).acquire()));
    const owners = await Promise.all(names.map((name) => cluster.ownerOf(`parkade:{${name}}:state`)));
    expect(new Set(owners).size).toBe(3);
    const { code, stdout, stderr } = await run(['list', '--redis', url]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const rows = stdout.trim().split('\n').slice(1);
    expect(rows.map((row) => row.trim().split(/\s+/))).toEqual(names.map((name) => [name, '3', '1', '0']));
  });

  it('runs a command, and passes a permit on to one that waits', async () => {
    await using client = new SemaphoreClient(url);
    const permit = await client.semaphore('line', { limit: 1 }).acquire();
    const ended = run(['run', 'line', '--limit', '1', '--redis', url, '--', 'echo', 'ran']);
    await expect.poll(async () => (await client.inspect('line')).waiting, { timeout: 20_000 }).toBe(1);
    await permit.release();
    expect(await ended).toMatchObject({ code: 0, stdout: 'ran\n', stderr: '' });
  });
});

it('of a Cluster that is not there is said in a line, and ends with 69', async () => {
  const result = await run(['list', '--redis', 'redis-cluster://127.0.0.1:1']);
  expect(result).toMatchObject({ code: 69, stdout: '' });
  expect(result.stderr).toMatch(/^parkade: .*Cluster.*\n$/);
});
