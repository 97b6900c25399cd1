import { describe, expect, it, onTestFinished } from 'vitest';
import { keysOf } from '../../src/redis/keys.ts';
import type { FleetNode } from '../../support/redis/fleet.ts';
import { openClient, restorationsOf } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { rejection, until, watch } from '../support/until.ts';
import { type Connection, end, type IoredisVersion } from './connections.ts';

/** Servers of which others take over, as one test meets them. */
export interface ReplicatedStage {
  connect(version: IoredisVersion): Connection;
  primaryOf(key: string): Promise<FleetNode>;
  replicasOf(primary: FleetNode): Promise<FleetNode[]>;
  /** How many replicas a primary has. */
  readonly replicas: number;
  healthy(): Promise<void>;
}

/** What `minReplicas` promises where a replica takes over by itself, over each version of ioredis. */
export function acknowledgementPromises(stage: () => ReplicatedStage): void {
  describe.each([5, 6] as const)('by ioredis %d, a grant that replicas must acknowledge', (version) => {
    const open = async (replicaTimeoutMs: number) => {
      const { connect, primaryOf, replicasOf, replicas, healthy } = stage();
      await healthy();
      onTestFinished(healthy);
      const connection = connect(version);
      onTestFinished(() => end(connection));
      const prefix = uniquePrefix();
      const client = openClient({ connection, prefix, presenceMs: 2_000 });
      const semaphore = client.semaphore('api', { limit: 1, minReplicas: replicas, replicaTimeoutMs });
      await (await semaphore.acquire()).release();
      const { permits } = keysOf(prefix, 'api');
      const primary = await primaryOf(permits);
      return { client, semaphore, permits, primary, replicas: await replicasOf(primary) };
    };

    it('is on them when it is handed out', async () => {
      const { semaphore, permits, replicas } = await open(10_000);
      const permit = await semaphore.acquire();
      for (const { redis } of replicas) {
        expect(await readFrom(redis, permits)).toEqual([permit.id]);
      }
      expect(await permit.release()).toBe(true);
    });

    it('is given back and reported when one of them is silent', async () => {
      const { client, semaphore, replicas } = await open(500);
      const [silent] = replicas as [FleetNode];
      silent.pause();
      onTestFinished(() => silent.resume());
      expect(await rejection(semaphore.acquire())).toMatchObject({
        code: 'NOT_REPLICATED',
        wanted: replicas.length,
        acknowledged: replicas.length - 1,
      });
      await until('the unit is back', async () => (await client.inspect('api')).held === 0);
    });

    it('is still there when its primary is killed in the next moment, and nothing has to be restored', async () => {
      const { client, semaphore, primary } = await open(20_000);
      const restored = restorationsOf(client);
      const permit = await semaphore.acquire({ leaseMs: 20_000 });
      await primary.kill();
      onTestFinished(() => primary.restart());
      const { holders } = await until('another has taken over', () =>
        client.inspect('api').catch(() => undefined),
      );
      expect(holders).toMatchObject([{ id: permit.id }]);
      expect(permit.isHeld).toBe(true);
      expect(await permit.release()).toBe(true);
      expect(restored).toEqual([]);
    });

    it('and waits for them when its primary dies is handed out once those of the new primary have it', async () => {
      const { client, semaphore, primary, replicas } = await open(30_000);
      for (const replica of replicas) replica.pause();
      onTestFinished(() => replicas.forEach((replica) => void replica.resume()));
      const request = watch(semaphore.acquire());
      await until('it is granted', async () => (await client.inspect('api')).held === 1);
      await primary.kill();
      let isBack = false;
      const comeBack = async () => {
        if (!isBack) await primary.restart();
        isBack = true;
      };
      onTestFinished(comeBack);
      for (const replica of replicas) replica.resume();
      await until('another has taken over', () =>
        client.inspect('api').then(
          () => true,
          () => false,
        ),
      );
      expect(request.state).toBe('pending'); // it has a replica fewer than were asked for
      await comeBack();
      const permit = await until('it is handed out', () => request.value, 30_000);
      expect((await client.inspect('api')).holders).toMatchObject([{ id: permit.id }]);
      expect(await permit.release()).toBe(true);
    });
  });
}

/** What a replica has, which would send a client on to its primary on a Cluster. */
async function readFrom(redis: FleetNode['redis'], key: string): Promise<string[]> {
  await redis.call('READONLY').catch(() => {});
  return redis.zrange(key, '0', '-1');
}
