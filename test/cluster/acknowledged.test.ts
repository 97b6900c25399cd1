import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { keysOf } from '../../src/redis/keys.ts';
import { type RedisCluster, startCluster } from '../../support/redis/cluster.ts';
import { openClient } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { acknowledgementPromises } from './acknowledged-suite.ts';
import { connectCluster, end } from './connections.ts';
import { describeFleet } from './fleet.ts';

refuseStrayErrors();

describeFleet('over a Cluster,', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  acknowledgementPromises(() => ({
    connect: (version) => connectCluster(cluster, version),
    primaryOf: (key) => cluster.ownerOf(key),
    replicasOf: (primary) => cluster.replicasOf(primary),
    replicas: 1,
    healthy: () => cluster.healthy(),
  }));

  it('a grant is acknowledged by replicas of the primary that has its slot, also after that has moved', async () => {
    const connection = connectCluster(cluster, 6);
    onTestFinished(() => end(connection));
    const prefix = uniquePrefix();
    const client = openClient({ connection, prefix });
    const semaphore = client.semaphore('api', { limit: 1, minReplicas: 1, replicaTimeoutMs: 10_000 });
    await (await semaphore.acquire()).release();
    const { permits } = keysOf(prefix, 'api');
    const before = await cluster.ownerOf(permits);
    const owners = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => cluster.ownerOf(key)));
    const after = owners.find((node) => node !== before);
    await cluster.moveSlotOf(permits, after as NonNullable<typeof after>);
    const permit = await semaphore.acquire();
    for (const { redis } of await cluster.replicasOf(after as NonNullable<typeof after>)) {
      await redis.call('READONLY');
      expect(await redis.zrange(permits, '0', '-1')).toEqual([permit.id]);
    }
    expect(await permit.release()).toBe(true);
  });
});
