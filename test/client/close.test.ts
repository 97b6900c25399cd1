import { describe, expect, it } from 'vitest';
import { ClientClosedError } from '../../src/index.ts';
import { expectFree, hashOf, openClient, openProxy, openRedis, recordsOf } from '../support/clients.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { can } from '../support/ground.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, timed, until, watch } from '../support/until.ts';

refuseStrayErrors();

/** What a client has opened through a proxy: all, or where it was lent a connection, the one that hears messages. */
const ownConnectionsOf = (proxy: FaultProxy) =>
  can('own connection') ? [...proxy.connections] : proxy.connectionsOf('subscribe');

describe('close', () => {
  it('rejects who waits, takes them out of the line, releases what is held and ends the connections', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const [client, other] = [openClient({ prefix, through: proxy }), openClient({ prefix })];
    const semaphore = client.semaphore('api', { limit: 2 });
    const permits = await Promise.all([semaphore.acquire(), semaphore.acquire()]);
    const waiters = [1, 2, 3].map(() => watch(semaphore.acquire()));
    await until('three wait', async () => (await other.inspect('api')).waiting === 3);
    await client.close();
    for (const { reason } of waiters) {
      expect(reason).toBeInstanceOf(ClientClosedError);
      expect(reason).toMatchObject({ code: 'CLIENT_CLOSED', semaphore: 'api' });
    }
    expect(permits.map(({ isHeld }) => isHeld)).toEqual([false, false]);
    expect(permits.map(({ signal }) => signal.aborted)).toEqual([false, false]);
    await expectFree(other, 'api', 2);
    expect(await recordsOf(openRedis(), prefix, 'api')).toEqual({ permits: [], waiters: [] });
    await until('nothing of it is open', () => ownConnectionsOf(proxy).length === 0);
  });

  it('serves the next client in line with what it releases', async () => {
    const prefix = uniquePrefix();
    const [client, other] = [openClient({ prefix }), openClient({ prefix })];
    await client.semaphore('api', { limit: 1 }).acquire();
    const next = watch(other.semaphore('api', { limit: 1 }).acquire());
    await until('it waits', async () => (await other.inspect('api')).waiting === 1);
    await client.close();
    await until('it is served', () => next.state === 'resolved');
  });

  it('with release: false leaves permits to their leases, without renewal', async () => {
    const prefix = uniquePrefix();
    const [client, other] = [openClient({ prefix }), openClient({ prefix })];
    const permit = await client.semaphore('api', { limit: 1, leaseMs: 700 }).acquire();
    await client.close({ release: false });
    expect((await other.inspect('api')).holders).toMatchObject([{ id: permit.id }]);
    expect(permit.isHeld).toBe(true);
    const { signal } = permit;
    const next = await other.semaphore('api', { limit: 1 }).acquire();
    expect(next.isHeld).toBe(true);
    expect(permit.isHeld).toBe(false);
    expect(signal.reason).toMatchObject({ code: 'PERMIT_LOST' });
  });

  it('gives back what Redis was just being asked for', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const [client, other] = [openClient({ prefix, through: proxy }), openClient({ prefix })];
    const semaphore = client.semaphore('api', { limit: 1 });
    await (await semaphore.acquire()).release();
    proxy.hold('replies');
    const request = watch(semaphore.acquire());
    await until('Redis has granted it', async () => (await other.inspect('api')).held === 1);
    const closing = client.close();
    await until('it is rejected', () => request.state === 'rejected');
    expect(request.reason).toMatchObject({ code: 'CLIENT_CLOSED' });
    proxy.resume();
    await closing;
    await expectFree(other, 'api', 1);
  });

  it('does not ask for what was asked for in the same turn', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const client = openClient({ prefix, through: proxy });
    const acquires = proxy.count(hashOf.acquire);
    const semaphore = client.semaphore('api', { limit: 1 });
    await (await semaphore.acquire()).release();
    const request = watch(semaphore.acquire());
    await client.close();
    expect(request.reason).toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(acquires.count).toBe(1);
    await expectFree(openClient({ prefix }), 'api', 1);
  });

  it.each(['goAway', 'silence'] as const)('is bounded in time when Redis is away: %s', async (how) => {
    const proxy = await openProxy();
    const client = openClient({ through: proxy, attemptTimeoutMs: 500 });
    const semaphore = client.semaphore('api', { limit: 1 });
    const permit = await semaphore.acquire();
    const waiter = watch(semaphore.acquire());
    await until('one waits', async () => (await semaphore.inspect()).waiting === 1);
    if (how === 'goAway') {
      proxy.goAway();
    } else {
      proxy.swallow('requests');
      proxy.swallow('replies');
    }
    const release = watch(permit.release());
    expect(await timed(client.close())).toBeLessThan(1_500);
    expect(waiter.reason).toMatchObject({ code: 'CLIENT_CLOSED' });
    await until('no call hangs', () => release.state !== 'pending');
    expect(permit.isHeld).toBe(false);
  });

  it('is bounded in time when Redis was never there', async () => {
    const proxy = await openProxy();
    proxy.refuse();
    const client = openClient({ through: proxy, attemptTimeoutMs: 500 });
    const request = watch(client.semaphore('api', { limit: 1 }).acquire());
    expect(await timed(client.close())).toBeLessThan(1_500);
    expect(request.reason).toMatchObject({ code: 'CLIENT_CLOSED' });
  });

  it('twice is once, also at the same time, and at the end of a scope', async () => {
    const client = openClient();
    const permit = await client.semaphore('api', { limit: 1 }).acquire();
    const first = client.close();
    await Promise.all([first, client.close({ release: false }), client[Symbol.asyncDispose]()]);
    expect(permit.isHeld).toBe(false);
    await client.close();
  });

  it('of a client that was never used takes no time', async () => {
    expect(await timed(openClient().close())).toBeLessThan(1_000);
  });
});

describe('a closed client', () => {
  it('refuses every call with ClientClosedError', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 1 });
    const permit = await semaphore.acquire();
    const kept = client.semaphore('other', { limit: 1, leaseMs: 60_000 });
    const held = await kept.acquire();
    await client.close({ release: false });
    expect(() => client.semaphore('api', { limit: 1 })).toThrow(ClientClosedError);
    expect(() => client.boundedSemaphore('api', { limit: 1 })).toThrow(ClientClosedError);
    const calls = [
      () => held.renew(),
      () => client.inspect('api'),
      () => semaphore.acquire(),
      () => semaphore.tryAcquire(),
      () => semaphore.run(() => {}),
      () => semaphore.map([1], () => {}),
      () => semaphore.resize(2),
      () => semaphore.inspect(),
      () => permit.release(),
      () => kept.release(held),
      () => kept.release(),
    ];
    for (const call of calls) {
      expect(await rejection(call())).toMatchObject({ code: 'CLIENT_CLOSED' });
    }
  });

  it('says and does nothing any more', async () => {
    const proxy = await openProxy();
    const client = openClient({ through: proxy, presenceMs: 300 });
    const events: unknown[] = [];
    const semaphore = client.semaphore('api', { limit: 1, leaseMs: 300 });
    const permit = await semaphore.acquire();
    watch(semaphore.acquire());
    await until('one waits', async () => (await semaphore.inspect()).waiting === 1);
    await client.close({ release: false });
    client.on('error', (error) => events.push(error));
    client.on('restored', (what) => events.push(what));
    await until('nothing of it is open', () => ownConnectionsOf(proxy).length === 0);
    const { accepted } = proxy;
    await until('its lease is over', () => !permit.isHeld);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(proxy.accepted).toBe(accepted);
    expect(events).toEqual([]);
  });
});
