import { describe, expect, it } from 'vitest';
import { PermitLostError } from '../../src/index.ts';
import {
  expectFree,
  hashOf,
  type OpenOptions,
  openClient,
  openProxy,
  untilListening,
} from '../support/clients.ts';
import { needs } from '../support/ground.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';

refuseStrayErrors();

/** Neither beats nor repeated attempts in the time of a test. */
const patient = { attemptTimeoutMs: 5_000, presenceMs: 60_000 };

/** A holder behind a proxy, with a permit under a lease of its own, and a rival that reaches Redis past the proxy. */
async function holderAndRival(leaseMs: number, options: Partial<OpenOptions> = { attemptTimeoutMs: 100 }) {
  const prefix = uniquePrefix();
  const proxy = await openProxy();
  const holder = openClient({ prefix, through: proxy, ...options });
  const rival = openClient({ prefix });
  const lost: PermitLostError[] = [];
  holder.on('lost', (error) => lost.push(error));
  const permit = await holder.semaphore('api', { limit: 1, leaseMs }).acquire();
  return { proxy, holder, rival, lost, permit, theirs: rival.semaphore('api', { limit: 1 }) };
}

describe('a permit whose renewals cannot get through', () => {
  it('is lost to its holder, whose signal aborts before the next client is granted', async () => {
    const { proxy, lost, permit, theirs } = await holderAndRival(900);
    const order: string[] = [];
    permit.signal.addEventListener('abort', () => order.push('lost'));
    const next = theirs.acquire().then(() => order.push('granted to the next'));
    proxy.goAway();
    await next;
    expect(order).toEqual(['lost', 'granted to the next']);
    expect(permit.isHeld).toBe(false);
    expect(permit.expiresInMs).toBe(0);
    expect(permit.signal.reason).toBeInstanceOf(PermitLostError);
    expect(permit.signal.reason).toMatchObject({
      semaphore: 'api',
      permitId: permit.id,
      fencingToken: permit.fencingToken,
    });
    expect(lost).toEqual([permit.signal.reason]);
  });

  it('is so also when its grant and renewals were answered slowly: what counts is when they were sent', async () => {
    const { proxy, holder, theirs, permit } = await holderAndRival(5_000, patient);
    await permit.release();
    proxy.delay('replies', 350);
    const slow = await holder.semaphore('api', { limit: 1, leaseMs: 1_200, renew: false }).acquire();
    const order: string[] = [];
    slow.signal.addEventListener('abort', () => order.push('lost'));
    await theirs.acquire().then(() => order.push('granted to the next'));
    expect(order).toEqual(['lost', 'granted to the next']);
  });

  it('keeps it through one lost renewal and a short outage: nobody is bothered', async () => {
    const { proxy, holder, lost, permit } = await holderAndRival(1_500);
    const dropped = proxy.dropReplyTo(hashOf.renew);
    await dropped;
    await until('a renewal has got through', () => permit.expiresInMs > 1_000);
    proxy.goAway();
    const startMs = performance.now();
    await until('a third of the lease has passed', () => performance.now() - startMs > 500);
    proxy.resume();
    await until('a renewal has got through again', () => permit.expiresInMs > 1_000);
    expect(permit.isHeld).toBe(true);
    expect(permit.signal.aborted).toBe(false);
    expect(lost).toEqual([]);
    expect((await holder.inspect('api')).holders).toMatchObject([{ id: permit.id }]);
  });

  it('keeps the longer lease when the shorter one that was renewed with it is lost to the outage', async () => {
    const { proxy, holder, lost } = await holderAndRival(30_000);
    const limit = 2;
    const [short, long] = await Promise.all(
      [400, 2_000].map((leaseMs) => holder.semaphore('both', { limit, leaseMs }).acquire()),
    );
    proxy.swallow('replies'); // so that the renewal for which both are due when the short one is gets no answer
    await until('the short lease is lost', () => short?.isHeld === false);
    expect(lost).toMatchObject([{ permitId: short?.id }]);
    proxy.resume();
    await until(
      'the other is renewed, or lost as well',
      () => (long?.expiresInMs ?? 0) > 1_750 || !long?.isHeld,
    );
    expect(long?.isHeld).toBe(true);
    expect(lost).toHaveLength(1);
  });

  it('keeps it when the connection died without a word: another one is opened in time', async () => {
    needs('silence noticed');
    const { proxy, lost, permit } = await holderAndRival(2_500);
    const [half] = proxy.connections;
    half?.swallow('requests');
    half?.swallow('replies');
    const startMs = performance.now();
    await until('the first lease is over', () => performance.now() - startMs > 3_000);
    expect(lost).toEqual([]);
    expect(permit.isHeld).toBe(true);
    expect(proxy.accepted).toBeGreaterThan(1);
  });
});

describe('a blocked event loop', () => {
  const block = (ms: number) => {
    const endMs = performance.now() + ms;
    while (performance.now() < endMs);
  };

  it('does not hide the loss: isHeld says so right afterwards, and the signal with it', async () => {
    const client = openClient();
    const permit = await client.semaphore('api', { limit: 1, leaseMs: 200 }).acquire();
    const { signal } = permit;
    block(250);
    expect(permit.isHeld).toBe(false);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ code: 'PERMIT_LOST' });
    expect(permit.expiresInMs).toBe(0);
  });

  it('makes a release afterwards resolve false, though nobody looked in between', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1, leaseMs: 200 });
    const permit = await semaphore.acquire();
    block(250);
    expect(await permit.release()).toBe(false);
    expect((await semaphore.acquire()).fencingToken).toBeGreaterThan(permit.fencingToken);
  });

  it('shorter than the lease costs nothing', async () => {
    const permit = await openClient().semaphore('api', { limit: 1, leaseMs: 1_500 }).acquire();
    for (let i = 0; i < 4; i++) {
      block(600);
      expect(permit.isHeld).toBe(true);
      await until('it is renewed', () => permit.expiresInMs > 1_200);
    }
  });
});

describe('a lost permit never comes back', () => {
  it('when its renewal arrives after a rival has had the unit', async () => {
    const { proxy, lost, permit, theirs, rival } = await holderAndRival(600);
    proxy.hold('requests');
    const other = await theirs.acquire();
    expect(permit.isHeld).toBe(false);
    await other.release();
    proxy.resume();
    await until('what was held back has arrived', async () => (await rival.inspect('api')).held === 0);
    expect(permit.isHeld).toBe(false);
    expect(lost).toHaveLength(1);
    expect((await theirs.acquire({ timeoutMs: 1_000 })).fencingToken).toBeGreaterThan(permit.fencingToken);
  });

  it('when its renewal was executed in time, but the reply came too late: the unit is given back at once', async () => {
    const { proxy, lost, permit, rival } = await holderAndRival(2_000, { attemptTimeoutMs: 200 });
    proxy.hold('replies');
    await until('it is lost', () => permit.signal.aborted);
    // The renewals that Redis executed until now would keep it for most of a lease.
    const startMs = performance.now();
    await until('the unit is back', async () => (await rival.inspect('api')).held === 0);
    expect(performance.now() - startMs).toBeLessThan(1_000);
    proxy.resume();
    const theirs = await rival.semaphore('api', { limit: 1 }).acquire();
    await rejection(permit.renew(30_000));
    expect(permit.isHeld).toBe(false);
    expect(await rival.inspect('api')).toMatchObject({ held: 1, holders: [{ id: theirs.id }] });
    expect(lost).toHaveLength(1);
  });

  it('as a held one by a late grant: one that has ended when it arrives is not handed out, and asked for anew', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const [late, other] = [
      openClient({ prefix, presenceMs: 600, through: proxy }),
      openClient({ prefix, presenceMs: 600 }),
    ];
    const theirs = other.semaphore('api', { limit: 1 });
    const held = await theirs.acquire();
    const waiter = watch(late.semaphore('api', { limit: 1 }).acquire());
    await until('it waits', async () => (await other.inspect('api')).waiting === 1);
    await untilListening(late, prefix);

    proxy.hold('replies');
    proxy.hold('requests');
    await held.release();
    const [grant] = (await other.inspect('api')).holders;
    expect(grant?.client).toBe(late.id);
    const rival = await theirs.acquire(); // when that grant has ended
    proxy.resume();
    await until('it asks anew', async () => (await other.inspect('api')).waiting === 1);
    expect(waiter.state).toBe('pending');
    await rival.release();
    const permit = await until('it is served', () => waiter.value);
    expect(permit.id).not.toBe(grant?.id);
    expect(permit.isHeld).toBe(true);
    expect((await other.inspect('api')).holders).toMatchObject([{ id: permit.id }]);
  });
});

describe('a release while a renewal is under way', () => {
  it('is no loss, and nothing is refreshed by it', async () => {
    needs('calls side by side');
    const { proxy, holder, lost, permit, rival } = await holderAndRival(1_500, patient);
    const renewals = proxy.count(hashOf.renew);
    proxy.hold('requests');
    await until('a renewal is under way', () => renewals.count > 0);
    const release = permit.release();
    proxy.resume();
    expect(await release).toBe(true);
    expect(permit.signal.aborted).toBe(false);
    expect(lost).toEqual([]);
    await expectFree(rival, 'api', 1);
    const sent = renewals.count;
    const next = await holder.semaphore('api', { limit: 1, renew: false }).acquire();
    const startMs = performance.now();
    await until('half a lease is over', () => performance.now() - startMs > 750);
    expect(renewals.count).toBe(sent);
    await next.release();
    await expectFree(rival, 'api', 1);
    expect(lost).toEqual([]);
  });

  it.each(['hold', 'swallow'] as const)(
    'is no loss either when its reply comes late or never: %s',
    async (what) => {
      needs('calls side by side');
      const { proxy, lost, permit, rival } = await holderAndRival(1_500, patient);
      const renewals = proxy.count(hashOf.renew);
      proxy[what]('replies');
      await until('a renewal is under way', () => renewals.count > 0);
      const release = permit.release();
      await until('the unit is free', async () => (await rival.inspect('api')).held === 0);
      proxy.resume();
      expect(await release).toBe(true);
      await expectFree(rival, 'api', 1);
      expect(lost).toEqual([]);
      expect(permit.signal.aborted).toBe(false);
    },
  );
});
