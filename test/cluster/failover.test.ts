import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { keysOf } from '../../src/redis/keys.ts';
import { type RedisCluster, startCluster } from '../../support/redis/cluster.ts';
import { openClient } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { connectCluster } from './connections.ts';
import { describeFleet } from './fleet.ts';
import { presenceMs, type Stage } from './outage.ts';
import { outagePromises } from './outage-suite.ts';

describeFleet('over a Cluster,', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  const stage = (): Stage => ({
    nodes: cluster.nodes,
    connect: (version) => connectCluster(cluster, version),
    primaryOf: (key) => cluster.ownerOf(key),
    synced: () => cluster.synced(),
    healthy: () => cluster.healthy(),
  });
  // A client knows of a loss at its next check-in, which an outage may have delayed by one attempt.
  const overIssueMs = presenceMs / 3 + 1_000;

  outagePromises(
    'a primary that is killed',
    stage,
    { strike: (victim) => victim.kill(), mend: (victim) => victim.restart() },
    { overIssueMs },
  );

  outagePromises(
    'a primary that hangs, and comes back when it was replaced',
    stage,
    { strike: async (victim) => victim.pause(), mend: async (victim) => victim.resume() },
    { overIssueMs },
  );

  outagePromises(
    'a planned failover',
    stage,
    {
      strike: async (victim) => {
        await cluster.failover(victim);
      },
      mend: async () => {},
    },
    { overIssueMs: 0 },
  );

  it('a client that only holds, and hears no messages, keeps its permit when the primary hangs', async () => {
    const connection = connectCluster(cluster, 6);
    onTestFinished(() => connection.disconnect());
    const prefix = uniquePrefix();
    const client = openClient({ connection, prefix });
    const permit = await client.semaphore('api', { limit: 1, leaseMs: 6_000 }).acquire();
    await cluster.synced();
    const victim = await cluster.ownerOf(keysOf(prefix, 'api').state);
    victim.pause();
    onTestFinished(() => victim.resume());
    const start = performance.now();
    await until('its first lease is over', () => performance.now() - start > 6_500);
    expect(permit.isHeld).toBe(true);
    expect(await permit.release()).toBe(true);
  });
});
