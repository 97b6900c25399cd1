import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { RedisConnection } from '../../src/redis/connection.ts';
import { keysOf, type SemaphoreKeys, writeRecord } from '../../src/redis/keys.ts';
import { type Caller, nobody, SemaphoreStore } from '../../src/redis/store.ts';
import { type RedisCluster, type SlotMove, startCluster } from '../../support/redis/cluster.ts';
import type { FleetNode } from '../../support/redis/fleet.ts';
import { expectFree, openClient, restorationsOf } from '../support/clients.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { until, watch } from '../support/until.ts';
import { connectByProxies, connectCluster } from './connections.ts';
import { describeFleet } from './fleet.ts';

refuseStrayErrors();

describeFleet('while the slot of a semaphore moves to another node, key by key', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ primaries: 3, replicasEach: 0 });
  });
  afterAll(() => cluster?.stop());

  const anotherThan = (node: FleetNode) => cluster.nodes.find((one) => one !== node) as FleetNode;

  const begin = async (key: string): Promise<SlotMove> =>
    cluster.beginMove(key, anotherThan(await cluster.ownerOf(key)));

  it('every script is done as a whole or refused as a whole, at both nodes, wherever each of the four keys is', async () => {
    // All of them have the same slot, whatever their prefix is.
    const scenes: Scene[] = [];
    for (const call of Object.keys(calls) as Call[]) {
      for (const moved of subsetsOf(keyNames)) {
        for (const asked of ['from', 'to'] as const) {
          scenes.push({ call, moved, asked, prefix: uniquePrefix() });
        }
      }
    }
    const owner = await cluster.ownerOf(keysOf('any', name).state);
    await Promise.all(scenes.map(({ prefix }) => prepare(owner.redis, prefix)));
    const move = await begin(keysOf('any', name).state);
    for (const { moved, prefix } of scenes) {
      if (moved.length > 0) await move.moveKeys(moved.map((key) => keysOf(prefix, name)[key]));
    }

    for (const { call, moved, asked, prefix } of scenes) {
      const before = await contentOf(move, prefix);
      const outcome = await calls[call](storeAt(move[asked].redis, prefix, holder, asked === 'to')).then(
        ({ kind }) => kind,
        (error: Error) => error.message,
      );
      const what = `${call} at ${asked} with ${moved.join() || 'no key'} moved`;
      expect([what, outcome]).toEqual([what, expect.stringMatching(/^ok$|^TRYAGAIN |^ASK /)]);
      if (outcome !== 'ok') expect([what, await contentOf(move, prefix)]).toEqual([what, before]);
    }

    await move.finish();
    for (const { call, moved, asked, prefix } of scenes) {
      const what = `${call} at ${asked} with ${moved.join() || 'no key'} moved`;
      const store = storeAt(move.to.redis, prefix, holder);
      const { held, permits } = await store.inspect(0, 10);
      expect([what, held]).toEqual([what, permits.length]);
      expect([what, await calls[call](store)]).toEqual([what, expect.objectContaining({ kind: 'ok' })]);
    }
  });

  it.each([6, 5] as const)(
    'a release waits until it has moved, and hands over then: with ioredis %i',
    async (version) => {
      const name = `with-ioredis-${version}`;
      const prefix = uniquePrefix();
      const [one, two] = ['holder', 'waiter'].map((label) => {
        const connection = connectCluster(cluster, version);
        onTestFinished(() => connection.disconnect());
        return openClient({ connection, prefix, label, presenceMs: 6_000 });
      }) as [ReturnType<typeof openClient>, ReturnType<typeof openClient>];
      const restored = restorationsOf(one, two);
      const held = await one.semaphore(name, { limit: 1 }).acquire();
      const next = watch(two.semaphore(name, { limit: 1 }).acquire());
      await until('it is in line', async () => (await one.inspect(name)).waiting === 1);

      const keys = keysOf(prefix, name);
      const move = await begin(keys.state);
      const released = watch(held.release());
      await until('it was refused', async () => (await refusalsOf(move.from.redis)) > 0);
      await move.moveKeys([keys.permits]);
      await until('it was refused again', async () => (await refusalsOf(move.from.redis)) > 1);
      expect([released.state, next.state]).toEqual(['pending', 'pending']);
      await move.finish();

      await until('it is released', () => released.state === 'resolved');
      expect(released.value).toBe(true);
      await until('the next is served', () => next.state === 'resolved');
      await next.value?.release();
      await expectFree(one, name, 1);
      expect(restored).toEqual([]);
    },
  );

  it.each([6, 5] as const)(
    'a connection that is lost as it is asked at the new node makes no stray error: with ioredis %i',
    async (version) => {
      const { connection, proxies } = await connectByProxies(cluster, version);
      const name = `asked-with-ioredis-${version}`;
      const client = openClient({ connection });
      await client.inspect(name);

      await Promise.all((connection as unknown as Cluster).nodes().map((node) => node.ping())); // now it is connected to all
      // None of its keys exists, so the old node says ASK, and the new one is sent ASKING before the script.
      const move = await begin(keysOf('any', name).state);
      const there = proxies.get(move.to.port) as FaultProxy;
      there.hold('requests');
      const asked = there.count('asking');
      const permit = watch(client.semaphore(name, { limit: 1 }).acquire());
      await until('the new node is asked', () => asked.count > 0);
      there.cut();
      there.resume();
      await move.finish();
      await until('it is granted', () => permit.state === 'resolved');
    },
  );
});

const name = 'api';
const keyNames = ['permits', 'waiters', 'clients', 'state'] as const satisfies (keyof SemaphoreKeys)[];
type KeyName = (typeof keyNames)[number];

interface Scene {
  readonly call: Call;
  /** Which of its keys are at the new node already. */
  readonly moved: readonly KeyName[];
  /** Which node is asked. */
  readonly asked: 'from' | 'to';
  readonly prefix: string;
}

const holder = 'holder';
const caller: Caller = { ...nobody, limit: 1 };
const recordOf = (clientId: string, requestNo = 1) =>
  writeRecord({ clientId, requestNo, weight: 1, leaseMs: 60_000, firm: false });
const request = (record: string) => ({ record, weight: 1, leaseMs: 60_000, maxWaiting: -1 });

/** One call of each script. */
const calls = {
  acquire: (store) => store.acquire(caller, 'error', [request(recordOf(holder, 2))]),
  release: (store) => store.release(caller, [recordOf(holder)]),
  renew: (store) => store.renew(caller, [{ record: recordOf(holder), leaseMs: 60_000 }]),
  beat: (store) => store.beat(caller, false, []),
  resize: (store) => store.resize(caller, 2),
  revoke: (store) => store.revoke(caller, recordOf(holder), 60_000),
  restore: (store) =>
    store.restore(caller, {
      lost: true,
      windowMs: 1,
      limit: 1,
      permits: [{ record: recordOf(holder), remainingMs: 60_000 }],
      waiters: [],
    }),
} as const satisfies Record<string, (store: SemaphoreStore) => Promise<{ kind: string }>>;
type Call = keyof typeof calls;

/** One holds and one waits, so all four keys exist. */
async function prepare(redis: Redis, prefix: string): Promise<void> {
  for (const clientId of [holder, 'waiter']) {
    await storeAt(redis, prefix, clientId).acquire(caller, 'error', [request(recordOf(clientId))]);
  }
}

/** Over a connection to a single node, with ASKING before each call if so wished. */
function storeAt(redis: Redis, prefix: string, clientId: string, asking = false): SemaphoreStore {
  const send = async (...command: (string | number)[]): Promise<unknown> => {
    const all = redis.pipeline();
    if (asking) all.asking();
    const replies = (await all.call(...(command.map(String) as [string])).exec()) ?? [];
    const [error, reply] = replies.at(-1) as [Error | null, unknown];
    if (error !== null) throw error;
    return reply;
  };
  const connection: Pick<RedisConnection, 'evalsha' | 'eval'> = {
    evalsha: (sha, keys, args) => send('EVALSHA', sha, keys.length, ...keys, ...args),
    eval: (text, keys, args) => send('EVAL', text, keys.length, ...keys, ...args),
  };
  const options = { prefix, clientId, presenceMs: 60_000, retentionMs: 86_400_000 };
  return new SemaphoreStore(connection as RedisConnection, name, options);
}

/** What both nodes have of a semaphore. */
async function contentOf({ from, to }: SlotMove, prefix: string): Promise<Record<string, unknown>> {
  const content: Record<string, unknown> = {};
  for (const [key, at] of Object.entries(keysOf(prefix, name))) {
    // A key that the old node lacks may be at the new one, it says.
    content[`${key} here`] = await from.redis.dump(at).catch(() => null);
    const replies = (await to.redis.pipeline().asking().dump(at).exec()) ?? [];
    content[`${key} there`] = replies[1]?.[1];
  }
  return content;
}

function subsetsOf<T>(all: readonly T[]): T[][] {
  return Array.from({ length: 2 ** all.length }, (_, bits) => all.filter((_, i) => (bits >> i) % 2 === 1));
}

/** How often a node has said that a call must come again. */
async function refusalsOf(redis: Redis): Promise<number> {
  const stats = await redis.info('errorstats');
  return Number(/^errorstat_TRYAGAIN:count=(\d+)/m.exec(stats)?.[1] ?? 0);
}
