import { describe, expect, it } from 'vitest';
import { QueueFullError, WeightExceedsLimitError } from '../../src/index.ts';
import { apiOf, expectFree, openClient, openClients, openProxy, untilListening } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';

refuseStrayErrors();

describe('a heavy request', () => {
  it('takes as many units as it weighs, and gives them all back', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 10 });
    const permits = await Promise.all([semaphore.acquire({ weight: 7 }), semaphore.acquire({ weight: 3 })]);
    expect(await client.inspect('api')).toMatchObject({ held: 10, available: 0, holding: 2 });
    await permits[0].release();
    expect(await client.inspect('api')).toMatchObject({ held: 3, available: 7 });
    await permits[1].release();
    await expectFree(client, 'api', 10);
  });

  it('at the head of the line is not starved by a stream of light ones behind it', async () => {
    const prefix = uniquePrefix();
    const [busy, heavy] = openClients(2, { prefix });
    const semaphore = busy.semaphore('api', { limit: 10 });
    let served = 0;
    let stop = false;
    const stream = Array.from({ length: 12 }, async () => {
      while (!stop) await semaphore.run(() => served++);
    });
    await until('the stream runs', () => served > 50);
    const permit = await heavy.semaphore('api', { limit: 10 }).acquire({ weight: 10 });
    expect(await busy.inspect('api')).toMatchObject({ held: 10, holding: 1 });
    const servedBefore = served;
    await permit.release();
    await until('the stream goes on', () => served > servedBefore);
    stop = true;
    await Promise.all(stream);
    await expectFree(busy, 'api', 10);
  });

  it('that is waiting does not let lighter ones overtake it, though they would fit', async () => {
    const prefix = uniquePrefix();
    const clients = openClients(3, { prefix });
    const [holder, heavy, light] = apiOf(clients, { limit: 3 });
    const held = await holder.acquire();
    const order: string[] = [];
    const heavyOne = heavy.acquire({ weight: 3 }).then((permit) => {
      order.push('heavy');
      return permit;
    });
    await until('it waits', async () => (await holder.inspect()).waiting === 1);
    const lightOne = light.acquire().then(() => order.push('light'));
    await until('both wait', async () => (await holder.inspect()).waiting === 2);
    expect(await holder.inspect()).toMatchObject({ available: 2, waiting: 2 });
    await held.release();
    await (await heavyOne)?.release();
    await lightOne;
    expect(order).toEqual(['heavy', 'light']);
  });

  it('and another, which both need everything, are served one after the other: no deadlock', async () => {
    const prefix = uniquePrefix();
    const handles = [1, 2].map(() => openClient({ prefix }).semaphore('api', { limit: 5 }));
    let inside = 0;
    const task = (i: number) =>
      handles[i % 2]?.run(
        async () => {
          expect(++inside).toBe(1);
          await new Promise((resolve) => setImmediate(resolve));
          inside--;
        },
        { weight: 5 },
      );
    await Promise.all(Array.from({ length: 40 }, (_, i) => task(i)));
  });

  it('that can never fit is refused at once, also when others wait', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 3 });
    for (const request of [
      () => semaphore.acquire({ weight: 4 }),
      () => semaphore.tryAcquire({ weight: 4 }),
    ]) {
      const error = await rejection(request());
      expect(error).toBeInstanceOf(WeightExceedsLimitError);
      expect(error).toMatchObject({ code: 'WEIGHT_EXCEEDS_LIMIT', semaphore: 'api', weight: 4, limit: 3 });
    }
    await semaphore.acquire({ weight: 3 });
    watch(semaphore.acquire());
    await until('one waits', async () => (await semaphore.inspect()).waiting === 1);
    expect(await rejection(semaphore.acquire({ weight: 4 }))).toMatchObject({ code: 'WEIGHT_EXCEEDS_LIMIT' });
    expect((await semaphore.inspect()).waiting).toBe(1);
  });

  it('in line is refused when a resize makes it impossible, and those behind it go on', async () => {
    const prefix = uniquePrefix();
    const [first, second] = openClients(2, { prefix });
    const semaphore = first.semaphore('api', { limit: 5 });
    const held = await semaphore.acquire({ weight: 1 });
    const heavy = watch(second.semaphore('api', { limit: 5 }).acquire({ weight: 5 }));
    await until('it waits', async () => (await semaphore.inspect()).waiting === 1);
    const light = watch(semaphore.acquire());
    await until('both wait', async () => (await semaphore.inspect()).waiting === 2);
    await semaphore.resize(2);
    await until('it is refused', () => heavy.state === 'rejected');
    expect(heavy.reason).toMatchObject({ code: 'WEIGHT_EXCEEDS_LIMIT', weight: 5, limit: 2 });
    await until('the light one is served', () => light.state === 'resolved');
    expect(held.isHeld).toBe(true);
  });

  it('in line is refused although the message of it is lost', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const [first, second] = [openClient({ prefix }), openClient({ prefix, presenceMs: 300, through: proxy })];
    const semaphore = first.semaphore('api', { limit: 5 });
    await semaphore.acquire();
    const heavy = watch(second.semaphore('api', { limit: 5 }).acquire({ weight: 5 }));
    await until('it waits', async () => (await semaphore.inspect()).waiting === 1);
    await untilListening(second, prefix);
    proxy.connectionOf('subscribe')?.swallow('replies');
    await semaphore.resize(2);
    await until('it is refused', () => heavy.state === 'rejected');
    expect(heavy.reason).toMatchObject({ code: 'WEIGHT_EXCEEDS_LIMIT' });
  });
});

describe('maxWaiting', () => {
  it('refuses with QueueFullError who would make the line longer, over all clients', async () => {
    const prefix = uniquePrefix();
    const [one, two] = openClients(2, { prefix });
    const patient = one.semaphore('api', { limit: 1 });
    const picky = two.semaphore('api', { limit: 1, maxWaiting: 2 });
    const held = await patient.acquire();
    const waiters = [watch(patient.acquire()), watch(picky.acquire())];
    await until('two wait', async () => (await patient.inspect()).waiting === 2);
    const error = await rejection(picky.acquire());
    expect(error).toBeInstanceOf(QueueFullError);
    expect(error).toMatchObject({ code: 'QUEUE_FULL', semaphore: 'api', maxWaiting: 2, waiting: 2 });
    expect((await patient.inspect()).waiting).toBe(2);
    await held.release();
    await until('the first is served', () => waiters[0]?.state === 'resolved');
    const next = watch(picky.acquire());
    await until('there is room in line again', async () => (await patient.inspect()).waiting === 2);
    expect(next.state).toBe('pending');
  });

  it('0 takes a free unit, and never waits', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1, maxWaiting: 0 });
    expect((await semaphore.acquire()).isHeld).toBe(true);
    expect(await rejection(semaphore.acquire())).toMatchObject({ code: 'QUEUE_FULL', maxWaiting: 0 });
    expect(await semaphore.tryAcquire()).toBeNull();
    expect(await rejection(semaphore.acquire({ timeoutMs: 0 }))).toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
  });

  it('counts within one batch as well: of five asked for in one turn, one is held and two may wait', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1, maxWaiting: 2 });
    const requests = Array.from({ length: 5 }, () => watch(semaphore.acquire()));
    await until('two are refused', () => requests.filter(({ state }) => state === 'rejected').length === 2);
    expect(requests.map(({ state }) => state)).toEqual([
      'resolved',
      'pending',
      'pending',
      'rejected',
      'rejected',
    ]);
  });
});
