import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Permit, SemaphoreClient } from '../../src/index.ts';
import { ClusterSubscriber } from '../../src/redis/cluster-subscriber.ts';
import { viewOf } from '../../src/redis/ioredis-cluster.ts';
import type { ClusterLike } from '../../src/redis/ioredis-like.ts';
import { keysOf } from '../../src/redis/keys.ts';
import { slotOf } from '../../src/redis/slot.ts';
import { type RedisCluster, startCluster } from '../../support/redis/cluster.ts';
import type { FleetNode } from '../../support/redis/fleet.ts';
import { openClient } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { until } from '../support/until.ts';
import { type Connection, connectCluster, countSubscribers, type IoredisVersion } from './connections.ts';
import { describeFleet } from './fleet.ts';

refuseStrayErrors();

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** So long that nothing in these tests is found by a check-in: what arrives, arrives by message. */
const foreverMs = 60_000;
const soonMs = 2_000;

describeFleet('messages on a Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  interface Pair {
    readonly prefix: string;
    readonly holder: SemaphoreClient;
    readonly waiter: SemaphoreClient;
  }

  const lend = (version: IoredisVersion, user = ''): Connection => {
    const connection = connectCluster(cluster, version);
    onTestFinished(() => connection.disconnect());
    if (user === '') return connection;
    const other = connection.duplicate([], { redisOptions: { username: user, password: 'x' } }) as Connection;
    other.on('error', () => {});
    onTestFinished(() => other.disconnect());
    return other;
  };

  const openPair = (version: IoredisVersion, { user = '', presenceMs = foreverMs } = {}): Pair => {
    const prefix = uniquePrefix();
    const open = (label: string, connection: Connection) =>
      openClient({ connection, prefix, label, presenceMs });
    return { prefix, holder: open('holder', lend(version)), waiter: open('waiter', lend(version, user)) };
  };

  const ownerOf = ({ prefix }: Pair, name: string) => cluster.ownerOf(keysOf(prefix, name).state);

  /** One holds, the other one gets in line; resolves with the way to hand over, and how long that took. */
  const prepare = async ({ holder, waiter }: Pair, name: string) => {
    const held = await holder.semaphore(name, { limit: 1 }).acquire();
    const next = waiter.semaphore(name, { limit: 1 }).acquire();
    await until('it is in line', async () => (await holder.inspect(name)).waiting === 1);
    return async (): Promise<number> => {
      const startMs = performance.now();
      await held.release();
      const permit: Permit = await next;
      const tookMs = performance.now() - startMs;
      await permit.release();
      return tookMs;
    };
  };

  /** Opens the subscriber and waits until it hears this semaphore. */
  const warmUp = async (pair: Pair, name: string) => {
    const handOver = await prepare(pair, name);
    const channel = `${keysOf(pair.prefix, name).state.slice(0, -'state'.length)}${pair.waiter.id}`;
    const owner = await ownerOf(pair, name);
    await until('the shard channel is heard', async () =>
      ((await owner.redis.call('PUBSUB', 'SHARDCHANNELS')) as string[]).includes(channel),
    );
    await handOver();
  };

  const callsOf = async ({ redis }: FleetNode, command: string): Promise<number> => {
    const stats = await redis.info('commandstats');
    return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0);
  };

  it('finds the slot of any key and channel as Redis does', async () => {
    const [node] = cluster.nodes;
    const keys = [
      'a',
      '',
      'foo{bar}baz',
      '{}x',
      'x{}{y}',
      '{a{b}c}',
      'parkade:{ü/€/💥}:state',
      '{x',
      'x}',
      '123456789',
    ];
    for (const key of keys) {
      expect([key, slotOf(key)]).toEqual([key, await node?.redis.call('CLUSTER', 'KEYSLOT', key)]);
    }
  });

  describe.each([6, 5] as const)('with ioredis %i', (version) => {
    it('travel inside the slot: by SPUBLISH at the primary that has it, and not to every node', async () => {
      const pair = openPair(version);
      await warmUp(pair, 'api');
      const owner = await ownerOf(pair, 'api');
      const before = [await callsOf(owner, 'spublish'), await callsOf(owner, 'publish')];
      for (let i = 0; i < 5; i++) {
        expect(await (await prepare(pair, 'api'))()).toBeLessThan(soonMs);
      }
      const after = [await callsOf(owner, 'spublish'), await callsOf(owner, 'publish')];
      expect(after).toEqual([Number(before[0]) + 5, before[1]]);
    });

    it('are heard over one connection, and one more for each primary where something waits', async () => {
      const pair = openPair(version);
      for (let i = 0; i < 12; i++) await warmUp(pair, `many-${i}`);
      expect(await countSubscribers(cluster.nodes)).toBe(1 + 3);
      await pair.waiter.close();
      await until('none is left', async () => (await countSubscribers(cluster.nodes)) === 0);
    });

    it('are not heard any more for a semaphore that is left, nor is a connection kept for it', async () => {
      const connection = lend(version);
      await connection.ping();
      const heard: (string | undefined)[] = [];
      const subscriber = new ClusterSubscriber(viewOf(connection as unknown as ClusterLike), 'own', {
        listening: (channel) => heard.push(channel),
        message: () => {},
        error: () => {},
      });
      onTestFinished(() => subscriber.close());
      subscriber.hearShard('{left}');
      await until('both are heard', () => heard.includes('{left}') && heard.includes(undefined));
      subscriber.leaveShard('{left}');
      await until('only one connection is left', async () => (await countSubscribers(cluster.nodes)) === 1);
      subscriber.hearShard('{left}');
      await until('it is heard again', () => heard.filter((channel) => channel === '{left}').length === 2);
    });

    it('are not heard any more for semaphores of which no handle is left', async () => {
      // A check-in that is still to come, a third of this later, keeps what it would look at.
      const pair = openPair(version, { presenceMs: 1_500 });
      for (let i = 0; i < 20; i++) await warmUp(pair, `left-${i}`);
      const heard = async () => {
        const lists = cluster.nodes.map(({ redis }) => redis.call('PUBSUB', 'SHARDCHANNELS', '*left-*'));
        return (await Promise.all(lists)).flat().length;
      };
      expect(await heard()).toBeGreaterThan(0);
      await until('all are left', async () => {
        collectGarbage();
        return (await heard()) === 0;
      });
      await warmUp(pair, 'left-0');
    });

    it('follow a slot that moves, before, while and after it does', async () => {
      const pair = openPair(version);
      await warmUp(pair, 'api');
      const primaries = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((key) => cluster.ownerOf(key)));
      for (const to of new Set(primaries)) {
        const handOver = await prepare(pair, 'api');
        await cluster.moveSlotOf(keysOf(pair.prefix, 'api').state, to);
        expect(await handOver()).toBeLessThan(soonMs);
        expect(await (await prepare(pair, 'api'))()).toBeLessThan(soonMs);
      }
    });

    it('follow a planned failover', async () => {
      const pair = openPair(version);
      await warmUp(pair, 'api');
      const handOver = await prepare(pair, 'api');
      await cluster.failover(await ownerOf(pair, 'api'));
      expect(await handOver()).toBeLessThan(soonMs);
      await cluster.healthy();
      await warmUp(pair, 'api');
    });

    it('are heard again after every connection was cut', async () => {
      const pair = openPair(version);
      await warmUp(pair, 'api');
      const handOver = await prepare(pair, 'api');
      await Promise.all(
        cluster.nodes.flatMap(({ redis }) =>
          ['normal', 'pubsub'].map((type) => redis.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')),
        ),
      );
      expect(await handOver()).toBeLessThan(soonMs);
      await warmUp(pair, 'api');
      expect(await (await prepare(pair, 'api'))()).toBeLessThan(soonMs);
    });

    it('that are lost while nobody listens are looked up as soon as somebody does', async () => {
      const pair = openPair(version);
      await warmUp(pair, 'api');
      for (let i = 0; i < 3; i++) {
        const handOver = await prepare(pair, 'api');
        const cuts = cluster.nodes.map(({ redis }) => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
        expect(await handOver()).toBeLessThan(soonMs);
        await Promise.all(cuts);
      }
    });

    it('leave a node that hangs, also the one at which the client listens for all', async () => {
      // That it hangs shows at the next check-in, a third of the presence time later at most.
      const pair = openPair(version, { presenceMs: 6_000 });
      await warmUp(pair, 'first');
      const channels = await Promise.all(
        cluster.nodes.map(({ redis }) => redis.call('PUBSUB', 'CHANNELS') as Promise<string[]>),
      );
      const home =
        cluster.nodes[channels.findIndex((list) => list.some((one) => one.includes(pair.waiter.id)))];
      let name = '';
      for (let i = 0; name === ''; i++) {
        if ((await ownerOf(pair, `at-home-${i}`)) === home) name = `at-home-${i}`;
      }
      await warmUp(pair, name);
      const handOver = await prepare(pair, name);
      await cluster.synced();
      home?.pause();
      try {
        expect(await handOver()).toBeLessThan(10_000);
        for (let i = 0; i < 3; i++) {
          expect(await (await prepare(pair, name))()).toBeLessThan(1_000);
        }
      } finally {
        home?.resume();
        await cluster.healthy();
      }
    });

    it('take the usual way for whoever may not have shard channels', async () => {
      const rules = ['ACL', 'SETUSER', 'classic', 'on', '>x', '~*', '&*', '+@all', '-ssubscribe'] as const;
      await Promise.all(cluster.nodes.map(({ redis }) => redis.call(...rules)));
      const pair = openPair(version, { user: 'classic' });
      await (await prepare(pair, 'api'))();
      for (let i = 0; i < 3; i++) {
        expect(await (await prepare(pair, 'api'))()).toBeLessThan(soonMs);
      }
      expect(await countSubscribers(cluster.nodes)).toBe(1);
    });
  });
});
