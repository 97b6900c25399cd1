import { describe, expect, it } from 'vitest';
import { AcquireRevokedError, InvalidOptionsError, PermitLostError } from '../../src/index.ts';
import {
  apiOf,
  hashOf,
  keysUnder,
  openClient,
  openClients,
  openProxy,
  openRedis,
  untilListening,
} from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';

refuseStrayErrors();

describe('a permit that is revoked', () => {
  it('is lost to its holder, who is told why, and the next in line has it', async () => {
    const clients = openClients(3);
    const [holder, next, operator] = clients;
    const [held, waiting] = apiOf([holder, next], { limit: 1 });
    const lost: PermitLostError[] = [];
    holder.on('lost', (error) => lost.push(error));
    const permit = await held.acquire();
    const second = waiting.acquire();
    await until('it waits', async () => (await operator.inspect('api')).waiting === 1);

    expect(await operator.revoke('api', permit.id)).toBe(true);

    expect((await second).isHeld).toBe(true);
    await until('the holder is told', () => permit.signal.aborted);
    expect(permit.signal.reason).toBeInstanceOf(PermitLostError);
    expect(permit.signal.reason).toMatchObject({ revoked: true, permitId: permit.id });
    expect(permit.signal.reason.message).toMatch(/is lost: it was revoked\.$/);
    expect(permit.isHeld).toBe(false);
    expect(lost).toEqual([permit.signal.reason]);
    expect(await permit.release()).toBe(false);
    expect(await rejection(permit.renew())).toMatchObject({ revoked: true });
  });

  it('is told at once to a client that hears messages, long before it would look itself', async () => {
    const prefix = uniquePrefix();
    const [holder, operator] = openClients(2, { prefix, presenceMs: 600_000 });
    const [api] = apiOf([holder], { limit: 1 });
    const permit = await api.acquire({ leaseMs: 600_000 });
    watch(api.acquire()); // waits, so its client listens
    await untilListening(holder, prefix);

    await operator.revoke('api', permit.id);

    await until('it is told', () => permit.signal.aborted, 5_000);
  });

  it('is not restored by a holder that has not heard of it, though its lease is long', async () => {
    const [holder, operator] = openClients(2, { presenceMs: 1_000 });
    const [api] = apiOf([holder], { limit: 1 });
    const restored: unknown[] = [];
    holder.on('restored', (what) => restored.push(what));
    const permit = await api.acquire({ leaseMs: 60_000 });

    await operator.revoke('api', permit.id);

    await until('a check-in has told it', () => permit.signal.aborted);
    expect(permit.signal.reason).toMatchObject({ revoked: true });
    expect(restored).toEqual([]);
    expect(await operator.inspect('api')).toMatchObject({ held: 0 });
  });

  it('is told by the renewal, too', async () => {
    const [holder, operator] = openClients(2, { presenceMs: 600_000 });
    const [api] = apiOf([holder], { limit: 1 });
    const restored: unknown[] = [];
    holder.on('restored', (what) => restored.push(what));
    const permit = await api.acquire({ leaseMs: 600_000 });
    await operator.revoke('api', permit.id);

    expect(await rejection(permit.renew())).toMatchObject({ code: 'PERMIT_LOST', revoked: true });
    expect(restored).toEqual([]);
    expect(await operator.inspect('api')).toMatchObject({ held: 0 });
  });

  it('can be one of the same client, which is told without any message', async () => {
    const client = openClient({ presenceMs: 600_000 });
    const api = client.semaphore('api', { limit: 1 });
    const permit = await api.acquire({ leaseMs: 600_000 });
    const next = api.acquire();
    await until('it waits', async () => (await api.inspect()).waiting === 1);

    expect(await client.revoke('api', permit.id)).toBe(true);

    expect(permit.signal.aborted).toBe(true);
    expect((await next).isHeld).toBe(true);
  });

  it('is revoked once, and said to be, also when the first reply is lost', async () => {
    const proxy = await openProxy();
    const prefix = uniquePrefix();
    const holder = openClient({ prefix });
    const operator = openClient({ prefix, through: proxy, attemptTimeoutMs: 300 });
    const permit = await holder.semaphore('api', { limit: 1 }).acquire();
    await operator.inspect('api');
    const dropped = proxy.dropReplyTo(hashOf.revoke);
    expect(await operator.revoke('api', permit.id)).toBe(true);
    await dropped;
  });
});

describe('a release that comes too late for a permit', () => {
  it('which was revoked meanwhile resolves false, also when it had to be sent again', async () => {
    const proxy = await openProxy();
    const prefix = uniquePrefix();
    const holder = openClient({ prefix, through: proxy, attemptTimeoutMs: 300 });
    const operator = openClient({ prefix });
    const permit = await holder.semaphore('api', { limit: 1 }).acquire();

    const sent = proxy.count(hashOf.release);
    proxy.swallow('requests');
    const released = watch(permit.release());
    await until('it is sent', () => sent.count === 1);
    expect(await operator.revoke('api', permit.id)).toBe(true);
    proxy.resume();

    await until('it is answered', () => released.state !== 'pending');
    expect(released).toMatchObject({ state: 'resolved', value: false });
    expect(sent.count).toBeGreaterThan(1);
  });
});

describe('a waiter that is revoked', () => {
  it('leaves the line, its acquire rejects, and its other requests keep their places', async () => {
    const [holder, waiter, operator] = openClients(3);
    const [held, api] = apiOf([holder, waiter], { limit: 1 });
    const permit = await held.acquire();
    const acquires = [api.acquire(), api.acquire()].map(watch);
    await until('both wait', async () => (await operator.inspect('api')).waiting === 2);
    const [first] = (await operator.inspect('api')).waiters;

    expect(await operator.revoke('api', first?.id ?? '')).toBe(true);

    await until('it is told', () => acquires[0]?.state === 'rejected');
    expect(acquires[0]?.reason).toBeInstanceOf(AcquireRevokedError);
    expect(acquires[0]?.reason).toMatchObject({
      code: 'ACQUIRE_REVOKED',
      permitId: first?.id,
      semaphore: 'api',
    });
    await permit.release();
    await until('the other is served', () => acquires[1]?.state === 'resolved');
  });
});

describe('revoke', () => {
  it('of what nobody has resolves false, and leaves no key where there is no semaphore', async () => {
    const prefix = uniquePrefix();
    const client = openClient({ prefix });
    expect(await client.revoke('nothing', 'a:1:x/1/1/30000')).toBe(false);
    expect(await keysUnder(openRedis(), prefix)).toEqual([]);
    const permit = await client.semaphore('api', { limit: 1 }).acquire();
    await permit.release();
    expect(await client.revoke('api', permit.id)).toBe(false);
  });

  it('refuses what can be no id, and says where ids come from', async () => {
    const error = await rejection(openClient().revoke('api', 'abc'));
    expect(error).toBeInstanceOf(InvalidOptionsError);
    expect((error as Error).message).toMatch(/id is 'abc'.*inspect\(\)/);
  });
});
