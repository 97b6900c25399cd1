import type { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectFree, keysUnder, openClient, openProxy, openRedis } from '../support/clients.ts';
import { ground, needs } from '../support/ground.ts';
import { kinds } from '../support/kinds.ts';
import { byIoredis } from '../support/kinds-of-connections.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { until } from '../support/until.ts';

refuseStrayErrors();

/** A hundred thousand take a quarter of a minute: `PARKADE_NAMES=100000 npx vitest run test/client/many.test.ts`. */
const names = Number(process.env['PARKADE_NAMES'] ?? 10_000);

describe('however much there is of it:', () => {
  it('of names that were used once no key is left when their retention has ended', {
    timeout: 120_000,
  }, async () => {
    const prefix = uniquePrefix();
    const redis = openRedis();
    const client = openClient({ prefix, presenceMs: 1_000, retentionMs: 1_000, unavailableAfterMs: 60_000 });
    const keys = async () => (await keysUnder(redis, prefix)).length;
    let next = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 200 }, async () => {
        while (next < names) {
          const semaphore = client.semaphore(`job ${next++}`, { limit: 1, leaseMs: 1_000 });
          await (await semaphore.acquire()).release();
          if (next % 2_000 === 0) most = Math.max(most, await keys());
        }
      }),
    );
    expect(most).toBeGreaterThan(0);
    await until('all keys have gone', async () => (await keys()) === 0);
  });

  it('after a thousand reconnects there are as many connections and listeners as before', {
    timeout: 120_000,
  }, async () => {
    needs('two connections');
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const { keyPrefix = '' } = kinds[ground().kind];
    const { connection, end } = byIoredis({ keyPrefix })(ground(), proxy);
    onTestFinished(() => end?.());
    const borrowed = connection as Redis;
    const clients = [{ connection: borrowed }, ...Array.from({ length: 24 }, () => ({ through: proxy }))].map(
      (where) => openClient({ prefix, ...where, unavailableAfterMs: 60_000 }),
    );
    const holder = openClient({ prefix });
    const one = { limit: 1, leaseMs: 300_000 };
    const held = await holder.semaphore('api', one).acquire();
    const served = clients.map((client) => client.semaphore('api', one).run(() => {}));
    const connections = 2 * clients.length;
    const channels = async () => ((await redis.pubsub('CHANNELS', `${prefix}:*`)) as string[]).length;
    const redis = openRedis();
    const allBack = async () => {
      await until('all are connected', () => proxy.connections.size === connections, 20_000);
      await until('all listen', async () => (await channels()) === clients.length, 20_000);
      // Until it is ready, ioredis listens to its own events besides.
      await until('the one that is lent is ready', () => borrowed.status === 'ready', 20_000);
    };
    await allBack();
    const listeners = () =>
      borrowed.eventNames().map((event) => [String(event), borrowed.listenerCount(event)] as const);
    const before = listeners();
    const accepted = proxy.accepted;
    while (proxy.accepted - accepted < 1_000) {
      proxy.cut();
      await allBack();
    }
    expect(proxy.connections.size).toBe(connections);
    expect(listeners()).toEqual(before);
    await held.release();
    await Promise.all(served);
    await expectFree(holder, 'api', 1);
  });
});
