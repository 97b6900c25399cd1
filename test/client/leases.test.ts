import { describe, expect, it } from 'vitest';
import {
  hashOf,
  openClient,
  openProxy,
  openRedis,
  serverLeaseMs,
  untilListening,
} from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';

refuseStrayErrors();

describe('a lease', () => {
  it('is renewed for as long as the permit is held; a hundred permits cost one call each time', async () => {
    const proxy = await openProxy();
    const client = openClient({ through: proxy, presenceMs: 60_000 });
    const lost: unknown[] = [];
    client.on('lost', (error) => lost.push(error));
    const semaphore = client.semaphore('api', { limit: 100, leaseMs: 500 });
    const permits = await Promise.all(Array.from({ length: 100 }, () => semaphore.acquire()));
    const renewals = proxy.count(hashOf.renew);
    const startMs = performance.now();
    await until('ten leases are over', () => performance.now() - startMs > 5_000);
    expect(permits.every((permit) => permit.isHeld && !permit.signal.aborted)).toBe(true);
    expect(lost).toEqual([]);
    expect((await semaphore.inspect()).held).toBe(100);
    // Every third of a lease is thirty calls.
    expect(renewals.count).toBeGreaterThan(10);
    expect(renewals.count).toBeLessThan(45);
  });

  it('without renewal lasts as long as it says; then the holder is told and the next in line is served', async () => {
    const prefix = uniquePrefix();
    const [client, other] = [openClient({ prefix }), openClient({ prefix })];
    const lost: unknown[] = [];
    client.on('lost', (error) => lost.push(error));
    const startMs = performance.now(); // before: a lease is counted from when it was asked for
    const permit = await client.semaphore('api', { limit: 1, leaseMs: 400, renew: false }).acquire();
    const order: string[] = [];
    permit.signal.addEventListener('abort', () => {
      order.push('lost');
      expect(performance.now() - startMs).toBeGreaterThan(350);
    });
    const next = watch(
      other
        .semaphore('api', { limit: 1 })
        .acquire()
        .then(() => order.push('granted to the next')),
    );
    await until('the next is served', () => next.state === 'resolved');
    expect(order).toEqual(['lost', 'granted to the next']);
    expect(permit.signal.reason).toMatchObject({ code: 'PERMIT_LOST', permitId: permit.id });
    expect(lost).toEqual([permit.signal.reason]);
  });

  it('and its renewal can be chosen for one acquire, whatever the handle says', async () => {
    const client = openClient();
    const never = client.semaphore('api', { limit: 9, leaseMs: 300, renew: false });
    const always = client.semaphore('api', { limit: 9, leaseMs: 300 });
    const [a, b, c, d] = await Promise.all([
      never.acquire({ renew: true }),
      always.acquire(),
      never.tryAcquire(),
      always.acquire({ renew: false }),
    ]);
    const long = await never.acquire({ leaseMs: 30_000 });
    await until('those that nobody renews are over', () => !c?.isHeld && !d.isHeld);
    const startMs = performance.now();
    await until('another lease is over', () => performance.now() - startMs > 300);
    expect([a.isHeld, b.isHeld, long.isHeld]).toEqual([true, true, true]);
  });

  it('is not renewed any more after maxHoldMs, and the permit is lost when it ends', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 1, leaseMs: 400, maxHoldMs: 900 });
    const startMs = performance.now();
    const permit = await semaphore.acquire();
    await until('it is lost', () => permit.signal.aborted);
    const heldMs = performance.now() - startMs;
    expect(permit.signal.reason).toMatchObject({ code: 'PERMIT_LOST' });
    expect(heldMs).toBeGreaterThan(890);
    expect(heldMs).toBeLessThan(2_000);
    expect((await semaphore.acquire({ timeoutMs: 1_000 })).isHeld).toBe(true);
  });

  it('that a hand-off gives is short, a presence time at most, and the holder renews it to its full length', async () => {
    const prefix = uniquePrefix();
    const redis = openRedis();
    const proxy = await openProxy();
    const [client, other] = [openClient({ prefix }), openClient({ prefix, through: proxy })];
    const held = await client.semaphore('api', { limit: 1 }).acquire();
    const waiter = watch(other.semaphore('api', { limit: 1, leaseMs: 30_000 }).acquire());
    await until('it waits', async () => (await client.inspect('api')).waiting === 1);
    await untilListening(other, prefix);
    proxy.hold('requests');
    await held.release();
    const permit = await until('it is served', () => waiter.value);
    expect(await serverLeaseMs(redis, prefix, 'api', permit.id)).toBeLessThanOrEqual(1_500);
    expect(permit.expiresInMs).toBeLessThan(1_500);
    proxy.resume();
    await until('it is renewed', () => permit.expiresInMs > 20_000);
    expect(await serverLeaseMs(redis, prefix, 'api', permit.id)).toBeGreaterThan(20_000);
  });

  it('that a hand-off gives is the full one where nobody renews it', async () => {
    const prefix = uniquePrefix();
    const redis = openRedis();
    const client = openClient({ prefix, presenceMs: 500 });
    const semaphore = client.semaphore('api', { limit: 1 });
    const held = await semaphore.acquire();
    const waiter = semaphore.acquire({ renew: false, leaseMs: 20_000 });
    await until('it waits', async () => (await client.inspect('api')).waiting === 1);
    await held.release();
    const permit = await waiter;
    expect(permit.expiresInMs).toBeGreaterThan(15_000);
    expect(await serverLeaseMs(redis, prefix, 'api', permit.id)).toBeGreaterThan(15_000);
  });

  it('ends for its holder before it ends on the server, however slow the replies are', async () => {
    const prefix = uniquePrefix();
    const redis = openRedis();
    const proxy = await openProxy();
    const client = openClient({ prefix, through: proxy });
    const semaphore = client.semaphore('api', { limit: 1, leaseMs: 3_000, renew: false });
    await (await semaphore.acquire()).release();
    proxy.delay('replies', 400);
    const permit = await semaphore.acquire();
    const onServerMs = await serverLeaseMs(redis, prefix, 'api', permit.id);
    expect(permit.expiresInMs).toBeLessThan(onServerMs);
    expect(permit.expiresInMs).toBeGreaterThan(1_000);
    await permit.renew();
    const renewedMs = await serverLeaseMs(redis, prefix, 'api', permit.id);
    expect(permit.expiresInMs).toBeLessThan(renewedMs);
  });
});

describe('permit.renew', () => {
  it('gives another lease from now on, for as long as it says', async () => {
    const prefix = uniquePrefix();
    const redis = openRedis();
    const client = openClient({ prefix });
    const permit = await client.semaphore('api', { limit: 1, leaseMs: 2_000, renew: false }).acquire();
    await permit.renew(60_000);
    expect(permit.expiresInMs).toBeGreaterThan(50_000);
    expect(permit.expiresInMs).toBeLessThan(60_000);
    expect(await serverLeaseMs(redis, prefix, 'api', permit.id)).toBeGreaterThan(50_000);
    await permit.renew(5_000);
    expect(permit.expiresInMs).toBeLessThan(5_000);
  });

  it('gives, without a time, the lease that the permit was acquired with', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1, leaseMs: 2_000, renew: false });
    const permit = await semaphore.acquire({ leaseMs: 4_000 });
    await permit.renew(60_000);
    await permit.renew();
    expect(permit.expiresInMs).toBeGreaterThan(2_000);
    expect(permit.expiresInMs).toBeLessThan(4_000);
  });

  it('keeps a permit that nobody else renews', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1, leaseMs: 500, renew: false });
    const permit = await semaphore.acquire();
    const startMs = performance.now();
    await until('three leases are over', async () => {
      await permit.renew();
      return performance.now() - startMs > 1_500;
    });
    expect(permit.isHeld).toBe(true);
  });

  it('rejects with PermitLostError when the permit is not held any more', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1, leaseMs: 200, renew: false });
    const released = await semaphore.acquire();
    await released.release();
    expect(await rejection(released.renew())).toMatchObject({ code: 'PERMIT_LOST', permitId: released.id });
    const expired = await semaphore.acquire();
    await until('it is over', () => !expired.isHeld);
    expect(await rejection(expired.renew(10_000))).toMatchObject({ code: 'PERMIT_LOST' });
    await until('its unit is back', async () => (await semaphore.inspect()).held === 0);
  });

  it('rejects when Redis is away, and leaves the lease as it was', async () => {
    const proxy = await openProxy();
    const client = openClient({ through: proxy, unavailableAfterMs: 200 });
    const permit = await client.semaphore('api', { limit: 1, leaseMs: 20_000, renew: false }).acquire();
    proxy.goAway();
    expect(await rejection(permit.renew(60_000))).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    expect(permit.isHeld).toBe(true);
    expect(permit.expiresInMs).toBeLessThan(20_000);
  });
});
