import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { keysOf } from '../../src/redis/keys.ts';
import * as scripts from '../../src/redis/lua.generated.ts';
import { type RedisCluster, startCluster } from '../../support/redis/cluster.ts';
import { expectFree, hashOf, openClient } from '../support/clients.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { type Connection, connectCluster, type Detours, type IoredisVersion } from './connections.ts';
import { describeFleet } from './fleet.ts';

refuseStrayErrors();

describeFleet('a call on a Cluster whose reply is lost with the connection to its node', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ primaries: 3, replicasEach: 0 });
  });
  afterAll(() => cluster?.stop());

  /** A connection on which every node is behind a proxy, by the node's port. */
  const connect = async (version: IoredisVersion) => {
    const proxies = new Map<number, FaultProxy>();
    const detours: Detours = {};
    for (const { port, url, redis } of cluster.nodes) {
      // A request is told by its script's hash, so the scripts must be known.
      await Promise.all(Object.values(scripts).map(({ text }) => redis.script('LOAD', text)));
      const proxy = await FaultProxy.before(url);
      proxies.set(port, proxy);
      detours[`127.0.0.1:${port}`] = { host: '127.0.0.1', port: Number(new URL(proxy.url).port) };
    }
    const connection: Connection = connectCluster(cluster, version, detours);
    onTestFinished(async () => {
      connection.disconnect();
      await Promise.all([...proxies.values()].map((proxy) => proxy[Symbol.asyncDispose]()));
    });
    return { connection, proxies };
  };

  describe.each([6, 5] as const)('with ioredis %i', (version) => {
    it('is sent again by the connection, and a release that finds nothing then was a release', async () => {
      const { connection, proxies } = await connect(version);
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
      const { connection, proxies } = await connect(version);
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
