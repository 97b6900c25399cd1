import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { PermitNotHeldError } from '../../src/index.ts';
import { keysOf } from '../../src/redis/keys.ts';
import { expectFree, hashOf, openClient, openProxy, openRedis } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { packState, unpackState } from '../support/state.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';

refuseStrayErrors();

describe('a release', () => {
  it('serves the next in line in the same step: when it resolves, the unit is the other one’s already', async () => {
    const prefix = uniquePrefix();
    const [first, second] = [openClient({ prefix }), openClient({ prefix })];
    const held = await first.semaphore('api', { limit: 1 }).acquire();
    const next = watch(second.semaphore('api', { limit: 1 }).acquire());
    await until('it is in line', async () => (await first.inspect('api')).waiting === 1);
    expect(await held.release()).toBe(true);
    expect(await first.inspect('api')).toMatchObject({
      held: 1,
      waiting: 0,
      holders: [{ client: second.id }],
    });
    await until('it knows', () => next.state === 'resolved');
  });

  it('of the same permit twice at once counts once', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 2 });
    const [permit] = await Promise.all([semaphore.acquire(), semaphore.acquire()]);
    expect(await Promise.all([permit.release(), permit.release(), permit.release()])).toEqual([
      true,
      false,
      false,
    ]);
    expect(await client.inspect('api')).toMatchObject({ limit: 2, held: 1, available: 1 });
  });

  it('takes anything with the id of a permit of this client, from whichever handle it came', async () => {
    const client = openClient();
    const [one, two] = [client.semaphore('api', { limit: 1 }), client.semaphore('api', { limit: 1 })];
    const permit = await one.acquire();
    expect(await two.release({ id: permit.id })).toBe(true);
    expect(permit.isHeld).toBe(false);
    await expectFree(client, 'api', 1);
  });
});

describe('a plain semaphore resolves false, and changes nothing, on release of a permit that is', () => {
  it('released already', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 2 });
    const permit = await semaphore.acquire();
    await semaphore.acquire();
    expect(await permit.release()).toBe(true);
    expect(await permit.release()).toBe(false);
    expect(await semaphore.release(permit)).toBe(false);
    expect(await client.inspect('api')).toMatchObject({ limit: 2, held: 1 });
  });

  it('expired', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 1, leaseMs: 100, renew: false });
    const permit = await semaphore.acquire();
    await until('it is over', () => !permit.isHeld);
    expect(await permit.release()).toBe(false);
    expect(await client.inspect('api')).toMatchObject({ limit: 1, held: 0 });
  });

  it('lost or released, though a failover has brought it back to Redis: it is taken out, but was not held', async () => {
    const prefix = uniquePrefix();
    const client = openClient({ prefix });
    const redis = openRedis();
    const semaphore = client.semaphore('api', { limit: 2, renew: false });
    const [lost, released] = await Promise.all([semaphore.acquire({ leaseMs: 200 }), semaphore.acquire()]);
    await once(lost.signal, 'abort');
    expect(await released.release()).toBe(true);
    const { permits, state } = keysOf(prefix, 'api');
    await redis.zadd(permits, Date.now() + 60_000, lost.id, Date.now() + 60_000, released.id);
    await redis.hset(state, packState({ ...unpackState(await redis.hgetallBuffer(state)), held: 2 }));

    expect(await Promise.all([lost.release(), released.release()])).toEqual([false, false]);

    await expectFree(client, 'api', 2);
  });

  it('held by another client', async () => {
    const prefix = uniquePrefix();
    const [owner, thief] = [openClient({ prefix }), openClient({ prefix })];
    const permit = await owner.semaphore('api', { limit: 1 }).acquire();
    expect(await thief.semaphore('api', { limit: 1 }).release(permit)).toBe(false);
    expect(permit.isHeld).toBe(true);
    expect((await thief.inspect('api')).holders).toMatchObject([{ id: permit.id }]);
  });

  it.each(['', 'x', 'test:abc/1/1/1000', '/////', '💥/1/1/1', '%s%n/0/0/0'])('made up: %j', async (id) => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 1 });
    await semaphore.acquire();
    if (id !== '') expect(await semaphore.release({ id })).toBe(false);
    expect(await semaphore.release({ id: `${client.id}/99/1/1000${id}` })).toBe(false);
    expect(await client.inspect('api')).toMatchObject({ limit: 1, held: 1, available: 0 });
  });
});

describe('a bounded semaphore refuses with PermitNotHeldError, and changes nothing, the release of a permit', () => {
  it('released before, saying so and how many are held', async () => {
    const client = openClient();
    const semaphore = client.boundedSemaphore('db', { limit: 2 });
    const permit = await semaphore.acquire();
    await semaphore.acquire();
    expect(await permit.release()).toBe(true);
    const error = await rejection(permit.release());
    expect(error).toBeInstanceOf(PermitNotHeldError);
    expect(error).toMatchObject({
      code: 'PERMIT_NOT_HELD',
      semaphore: 'db',
      permitId: permit.id,
      heldCount: 1,
      message: `'db' is bounded and refused the release of ${permit.id}: it was released before. This handle holds 1 permit.`,
    });
    expect(await rejection(semaphore.release(permit))).toMatchObject({ code: 'PERMIT_NOT_HELD' });
    expect(await client.inspect('db')).toMatchObject({ limit: 2, held: 1 });
  });

  it('twice at once: one is refused', async () => {
    const semaphore = openClient().boundedSemaphore('db', { limit: 2 });
    const permit = await semaphore.acquire();
    const ends = await Promise.allSettled([permit.release(), permit.release()]);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('whose lease has ended', async () => {
    const client = openClient();
    const semaphore = client.boundedSemaphore('db', { limit: 1, leaseMs: 100, renew: false });
    const permit = await semaphore.acquire();
    await until('it is over', () => !permit.isHeld);
    expect(await rejection(permit.release())).toMatchObject({
      code: 'PERMIT_NOT_HELD',
      message: expect.stringContaining('its lease has ended'),
    });
    await expectFree(client, 'db', 1);
  });

  it('of another client', async () => {
    const prefix = uniquePrefix();
    const [owner, thief] = [openClient({ prefix }), openClient({ prefix })];
    const permit = await owner.boundedSemaphore('db', { limit: 1 }).acquire();
    const error = await rejection(thief.boundedSemaphore('db', { limit: 1 }).release(permit));
    expect(error).toMatchObject({ code: 'PERMIT_NOT_HELD', permitId: permit.id, heldCount: 0 });
    expect(permit.isHeld).toBe(true);
  });

  it('made up', async () => {
    const client = openClient();
    const semaphore = client.boundedSemaphore('db', { limit: 1 });
    const id = `${client.id}/7/1/30000`;
    expect(await rejection(semaphore.release({ id }))).toMatchObject({ code: 'PERMIT_NOT_HELD' });
  });

  it('that was not named, when the handle holds none: released too many times', async () => {
    const client = openClient();
    const semaphore = client.boundedSemaphore('db', { limit: 2 });
    await semaphore.acquire();
    await semaphore.acquire();
    expect(await semaphore.release()).toBe(true);
    expect(await semaphore.release()).toBe(true);
    expect(await rejection(semaphore.release())).toMatchObject({
      code: 'PERMIT_NOT_HELD',
      heldCount: 0,
      message: expect.stringContaining('released too many times'),
    });
    await expectFree(client, 'db', 2);
  });
});

describe('release without a permit', () => {
  it('releases the oldest that this handle holds, and not what another handle holds', async () => {
    const client = openClient();
    const [one, other] = [client.semaphore('api', { limit: 3 }), client.semaphore('api', { limit: 3 })];
    const [elsewhere, oldest, newest] = [await other.acquire(), await one.acquire(), await one.acquire()];
    expect(await one.release()).toBe(true);
    expect([elsewhere.isHeld, oldest.isHeld, newest.isHeld]).toEqual([true, false, true]);
    expect(await one.release()).toBe(true);
    expect([elsewhere.isHeld, newest.isHeld]).toEqual([true, false]);
  });

  it('gives the plain semaphore a unit, for everyone, when the handle holds none; waiters get it at once', async () => {
    const prefix = uniquePrefix();
    const [first, second] = [openClient({ prefix }), openClient({ prefix })];
    const semaphore = first.semaphore('api', { limit: 1 });
    await semaphore.acquire();
    const waiter = watch(semaphore.acquire());
    await until('it is in line', async () => (await semaphore.inspect()).waiting === 1);
    expect(await second.semaphore('api', { limit: 1 }).release()).toBe(true);
    await until('it is served', () => waiter.state === 'resolved');
    expect(await first.inspect('api')).toMatchObject({ limit: 2, held: 2, available: 0 });
  });

  it('gives one unit only, also when the call is sent twice because its reply was lost', async () => {
    const proxy = await openProxy();
    const client = openClient({ through: proxy });
    const semaphore = client.semaphore('api', { limit: 1 });
    await (await semaphore.acquire()).release();
    const dropped = proxy.dropReplyTo(hashOf.resize);
    expect(await semaphore.release()).toBe(true);
    await dropped;
    expect((await semaphore.inspect()).limit).toBe(2);
    expect(await semaphore.release()).toBe(true);
    expect((await semaphore.inspect()).limit).toBe(3);
  });

  it('leaves nothing that looks like a permit in a snapshot', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1 });
    await semaphore.release();
    expect(await semaphore.inspect()).toMatchObject({
      limit: 2,
      held: 0,
      available: 2,
      holding: 0,
      holders: [],
    });
  });

  it('never gives a unit where a bounded handle of that name exists, in any process', async () => {
    const prefix = uniquePrefix();
    const [plain, bounded] = [openClient({ prefix }), openClient({ prefix })];
    await (await bounded.boundedSemaphore('db', { limit: 1 }).acquire()).release();
    expect(await plain.semaphore('db', { limit: 1 }).release()).toBe(false);
    expect((await plain.inspect('db')).limit).toBe(1);
  });
});
