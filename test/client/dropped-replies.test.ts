import { describe, expect, it } from 'vitest';
import { expectFree, hashOf, openClient, openProxy, openRedis, recordsOf } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';

refuseStrayErrors();

/** A client behind a proxy, and one that reaches Redis past it. */
async function behindProxy(unavailableAfterMs = 10_000) {
  const prefix = uniquePrefix();
  const proxy = await openProxy();
  const client = openClient({ prefix, through: proxy, unavailableAfterMs });
  const semaphore = client.semaphore('api', { limit: 2 });
  await (await semaphore.acquire()).release();
  /** Redis goes away, and the client knows: what it says now is not in its connection's hands. */
  const goAway = async () => {
    let errors = 0;
    client.on('error', () => errors++);
    proxy.goAway();
    await until('the client knows', () => errors > 0);
  };
  return { prefix, proxy, client, semaphore, goAway, other: openClient({ prefix }) };
}

describe('an acquire whose reply was lost', () => {
  it('is granted once, and costs one unit', async () => {
    const { proxy, semaphore, other } = await behindProxy();
    const dropped = proxy.dropReplyTo(hashOf.acquire);
    const permit = await semaphore.acquire();
    await dropped;
    expect(permit.isHeld).toBe(true);
    expect(await other.inspect('api')).toMatchObject({ limit: 2, held: 1, holders: [{ id: permit.id }] });
    expect(await permit.release()).toBe(true);
    await expectFree(other, 'api', 2);
  });

  it('is queued once, and keeps its first place though it is asked again after others', async () => {
    const { prefix, proxy, semaphore, other } = await behindProxy();
    const held = await other.semaphore('api', { limit: 2 }).acquire({ weight: 2 });
    const dropped = proxy.dropReplyTo(hashOf.acquire);
    proxy.refuse();
    const request = watch(semaphore.acquire());
    await dropped;
    const second = watch(other.semaphore('api', { limit: 2 }).acquire({ weight: 2 }));
    await until('both wait', async () => (await other.inspect('api')).waiting === 2);
    const again = proxy.count(hashOf.acquire);
    proxy.resume();
    await until('it is asked again', () => again.count > 0);
    await semaphore.inspect(); // and answered
    expect((await recordsOf(openRedis(), prefix, 'api')).waiters).toHaveLength(2);
    await held.release();
    const permit = await until('the first is served', () => request.value);
    expect(second.state).toBe('pending');
    await permit.release();
    await until('the second is served', () => second.state === 'resolved');
  });

  it('leaves nothing behind when it times out before it is asked again', async () => {
    const { proxy, semaphore, other } = await behindProxy();
    const dropped = proxy.dropReplyTo(hashOf.acquire);
    const request = watch(semaphore.acquire({ timeoutMs: 150 }));
    await dropped;
    proxy.goAway();
    await until('it times out', () => request.state === 'rejected');
    expect(request.reason).toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    expect((await other.inspect('api')).held).toBe(1);
    proxy.resume();
    await until('the unit is back', async () => (await other.inspect('api')).held === 0);
    await expectFree(other, 'api', 2);
  });

  it('leaves nothing behind when Redis stays away for too long', async () => {
    const { proxy, semaphore, other } = await behindProxy(300);
    const dropped = proxy.dropReplyTo(hashOf.acquire);
    const request = watch(semaphore.acquire());
    await dropped;
    proxy.goAway();
    await until('it gives up', () => request.state === 'rejected');
    expect(request.reason).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    proxy.resume();
    await until('the unit is back', async () => (await other.inspect('api')).held === 0);
    await expectFree(other, 'api', 2);
  });

  it('is a try that takes one unit, or none', async () => {
    const { proxy, semaphore, other } = await behindProxy();
    const dropped = proxy.dropReplyTo(hashOf.acquire);
    const permit = await semaphore.tryAcquire({ weight: 2 });
    await dropped;
    expect(permit?.isHeld).toBe(true);
    const again = proxy.dropReplyTo(hashOf.acquire);
    expect(await semaphore.tryAcquire()).toBeNull();
    await again;
    expect(await other.inspect('api')).toMatchObject({ held: 2, waiting: 0 });
  });
});

describe('a release whose reply was lost', () => {
  it('resolves true, and releases once', async () => {
    const { proxy, semaphore, other } = await behindProxy();
    const [permit, kept] = await Promise.all([semaphore.acquire(), semaphore.acquire()]);
    const dropped = proxy.dropReplyTo(hashOf.release);
    expect(await permit.release()).toBe(true);
    await dropped;
    expect(await other.inspect('api')).toMatchObject({ held: 1, holders: [{ id: kept.id }] });
  });

  it('is none that a bounded semaphore refuses', async () => {
    const { proxy, client, other } = await behindProxy();
    const bounded = client.boundedSemaphore('db', { limit: 1 });
    const permit = await bounded.acquire();
    const dropped = proxy.dropReplyTo(hashOf.release);
    expect(await permit.release()).toBe(true);
    await dropped;
    expect(await rejection(permit.release())).toMatchObject({ code: 'PERMIT_NOT_HELD' });
    await expectFree(other, 'db', 1);
  });

  it('resolves true though the next in line has the unit already', async () => {
    const { proxy, semaphore, other } = await behindProxy();
    const permit = await semaphore.acquire({ weight: 2 });
    const next = watch(other.semaphore('api', { limit: 2 }).acquire({ weight: 2 }));
    await until('it waits', async () => (await other.inspect('api')).waiting === 1);
    const dropped = proxy.dropReplyTo(hashOf.release);
    expect(await permit.release()).toBe(true);
    await dropped;
    await until('it is served', () => next.state === 'resolved');
    expect(await other.inspect('api')).toMatchObject({ held: 2, holders: [{ client: other.id }] });
  });
});

describe('a release that Redis could not be told', () => {
  it('rejects, and can be tried again when Redis is back', async () => {
    const { proxy, semaphore, goAway, other } = await behindProxy(300);
    const permit = await semaphore.acquire();
    await goAway();
    const error = await rejection(permit.release());
    expect(error).toMatchObject({ code: 'REDIS_UNAVAILABLE', semaphore: 'api' });
    expect(permit.isHeld).toBe(false);
    expect((await other.inspect('api')).held).toBe(1);
    proxy.resume();
    await until('it can be said', () => permit.release().catch(() => false));
    await expectFree(other, 'api', 2);
    expect(await permit.release()).toBe(false);
  });

  it('happens by itself when Redis is back', async () => {
    const { proxy, client, goAway, other } = await behindProxy(300);
    const permit = await client.boundedSemaphore('db', { limit: 1 }).acquire();
    await goAway();
    await rejection(permit.release());
    proxy.resume();
    await until('the unit is back', async () => (await other.inspect('db')).held === 0);
    expect(await permit.release()).toBe(true); // it was the first that succeeded
    expect(await rejection(permit.release())).toMatchObject({ code: 'PERMIT_NOT_HELD' });
  });

  it('is not renewed any more, so it ends with its lease', async () => {
    const { client, goAway, other } = await behindProxy(200);
    const permit = await client.semaphore('api', { limit: 2, leaseMs: 600 }).acquire({ weight: 2 });
    await goAway();
    await rejection(permit.release());
    expect((await other.semaphore('api', { limit: 2 }).acquire({ weight: 2 })).isHeld).toBe(true);
  });
});
