import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keysOf } from '../../src/redis/keys.ts';
import { type RedisCluster, startCluster } from '../../support/redis/cluster.ts';
import { expectFree, hashOf, openClient } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { connectByProxies } from './connections.ts';
import { describeFleet } from './fleet.ts';

refuseStrayErrors();

describeFleet('a call on a Cluster whose reply is lost with the connection to its node', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ primaries: 3, replicasEach: 0 });
  });
  afterAll(() => cluster?.stop());

  describe.each([6, 5] as const)('with ioredis %i', (version) => {
    it('is sent again by the connection, and a release that finds nothing then was a release', async () => {
      const { connection, proxies } = await connectByProxies(cluster, version);
      const prefix = uniquePrefix();
      const client = openClient({ connection, prefix });
      const owner = await cluster.ownerOf(keysOf(prefix, 'db').state);
      const proxy = proxies.get(owner.port);
      const semaphore = client.boundedSemaphore('db', { limit: 1 });
      for (let i = 0; i < 3; i++) {
        const permit = await semaphore.acquire();
        const dropped = proxy?.dropReplyTo(hashOf.release);
        expect(await permit.release()).toBe(true);
        await dropped;
      }
      await expectFree(client, 'db', 1);
    });

    it('counts once: an acquire takes one permit, an added unit is one', async () => {
      const { connection, proxies } = await connectByProxies(cluster, version);
      const prefix = uniquePrefix();
      const client = openClient({ connection, prefix });
      const proxy = proxies.get((await cluster.ownerOf(keysOf(prefix, 'api').state)).port);
      const semaphore = client.semaphore('api', { limit: 3 });
      const acquired = proxy?.dropReplyTo(hashOf.acquire);
      const permit = await semaphore.acquire();
      await acquired;
      expect(await semaphore.inspect()).toMatchObject({ held: 1, limit: 3 });
      await permit.release();
      const gained = proxy?.dropReplyTo(hashOf.resize);
      expect(await semaphore.release()).toBe(true);
      await gained;
      await expectFree(client, 'api', 4);
    });
  });
});
