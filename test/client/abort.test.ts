import { describe, expect, it } from 'vitest';
import { acquireScript, releaseScript } from '../../src/redis/lua.generated.ts';
import {
  expectFree,
  hashOf,
  onEach,
  openClient,
  openClients,
  openProxy,
  openRedis,
  openServer,
  recordsOf,
  untilListening,
} from '../support/clients.ts';
import { needs } from '../support/ground.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';

refuseStrayErrors();

const reason = new Error('the user changed their mind');

describe('an abort', () => {
  it('before the call rejects with its reason, and asks Redis nothing', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 1 });
    expect(await rejection(semaphore.acquire({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect((await client.inspect('api')).limit).toBe(0); // nobody has spoken of it
  });

  it('in the same turn as the call rejects, and takes nothing', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 1 });
    const controller = new AbortController();
    const request = semaphore.acquire({ signal: controller.signal });
    controller.abort(reason);
    expect(await rejection(request)).toBe(reason);
    await (await semaphore.acquire()).release();
    await expectFree(client, 'api', 1);
  });

  it('of AbortSignal.timeout rejects with its TimeoutError', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1 });
    await semaphore.acquire();
    const error = await rejection(semaphore.acquire({ signal: AbortSignal.timeout(50) }));
    expect(error).toMatchObject({ name: 'TimeoutError' });
  });

  it('while Redis is being asked rejects at once, and gives back what it grants', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const [client, other] = [openClient({ prefix, through: proxy }), openClient({ prefix })];
    const semaphore = client.semaphore('api', { limit: 1 });
    await (await semaphore.acquire()).release();

    proxy.hold('replies');
    const controller = new AbortController();
    const request = watch(semaphore.acquire({ signal: controller.signal }));
    await until('Redis has granted it', async () => (await other.inspect('api')).held === 1);
    controller.abort(reason);
    await until('it is rejected', () => request.state === 'rejected');
    expect(request.reason).toBe(reason);
    proxy.resume();
    await until('the unit is back', async () => (await other.inspect('api')).held === 0);
    await expectFree(other, 'api', 1);
  });

  it('while Redis is being asked gives back a place in line too', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const [client, other] = [openClient({ prefix, through: proxy }), openClient({ prefix })];
    const held = await other.semaphore('api', { limit: 1 }).acquire();
    const semaphore = client.semaphore('api', { limit: 1 });
    await semaphore.tryAcquire();

    proxy.hold('replies');
    const controller = new AbortController();
    const request = watch(semaphore.acquire({ signal: controller.signal }));
    await until('Redis has queued it', async () => (await other.inspect('api')).waiting === 1);
    controller.abort(reason);
    await until('it is rejected', () => request.state === 'rejected');
    proxy.resume();
    await until('it has left the line', async () => (await other.inspect('api')).waiting === 0);
    await held.release();
    await expectFree(other, 'api', 1);
  });

  it('while in line lets the next one move up', async () => {
    const prefix = uniquePrefix();
    const redis = openRedis();
    const [client, other] = openClients(2, { prefix });
    const semaphore = client.semaphore('api', { limit: 1 });
    const held = await semaphore.acquire();
    const controller = new AbortController();
    const first = watch(semaphore.acquire({ signal: controller.signal }));
    await until('one waits', async () => (await semaphore.inspect()).waiting === 1);
    const second = watch(other.semaphore('api', { limit: 1 }).acquire());
    await until('two wait', async () => (await semaphore.inspect()).waiting === 2);
    controller.abort(reason);
    await until('it is rejected', () => first.state === 'rejected');
    expect(first.reason).toBe(reason);
    await until('one waits', async () => (await recordsOf(redis, prefix, 'api')).waiters.length === 1);
    await held.release();
    await until('the second is served', () => second.state === 'resolved');
  });

  it('of a heavy request at the head serves the lighter ones behind it in the same step', async () => {
    const prefix = uniquePrefix();
    const [client, other] = [openClient({ prefix, presenceMs: 60_000 }), openClient({ prefix })];
    const semaphore = client.semaphore('api', { limit: 3 });
    await semaphore.acquire();
    const controller = new AbortController();
    const heavy = watch(semaphore.acquire({ weight: 3, signal: controller.signal }));
    await until('it is in line', async () => (await semaphore.inspect()).waiting === 1);
    const light = [1, 2].map(() => watch(semaphore.acquire()));
    await until('three wait', async () => (await semaphore.inspect()).waiting === 3);
    controller.abort(reason);
    await until('both are served', () => light.every(({ state }) => state === 'resolved'));
    expect(heavy.state).toBe('rejected');
    expect(await other.inspect('api')).toMatchObject({ held: 3, waiting: 0 });
  });

  it('just as the grant was made, and its message is under way, gives the permit to the next', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const [client, other] = [openClient({ prefix, through: proxy }), openClient({ prefix })];
    const held = await other.semaphore('api', { limit: 1 }).acquire();
    const controller = new AbortController();
    const first = watch(client.semaphore('api', { limit: 1 }).acquire({ signal: controller.signal }));
    await until('one waits', async () => (await other.inspect('api')).waiting === 1);
    const second = watch(other.semaphore('api', { limit: 1 }).acquire());
    await until('two wait', async () => (await other.inspect('api')).waiting === 2);
    await untilListening(client, prefix);

    proxy.hold('replies');
    await held.release();
    expect((await other.inspect('api')).holders).toMatchObject([{ client: client.id }]);
    controller.abort(reason);
    await until('it is rejected', () => first.state === 'rejected');
    proxy.resume();
    await until('the second is served', () => second.state === 'resolved');
    await second.value?.release();
    await expectFree(other, 'api', 1);
  });

  it('after the grant changes nothing: the permit is the caller’s', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1 });
    const controller = new AbortController();
    const permit = await semaphore.acquire({ signal: controller.signal });
    controller.abort(reason);
    expect(permit.isHeld).toBe(true);
    expect(permit.signal.aborted).toBe(false);
    expect(await permit.release()).toBe(true);
  });
});

describe('a request that is executed after its own cancel, since the server had to be given the script first,', () => {
  it.each(['grant', 'place in line'] as const)('gives its %s back', async (what) => {
    needs('calls side by side');
    const server = await openServer();
    const redis = openRedis(server);
    const prefix = uniquePrefix();
    const proxy = await openProxy(server);
    const [client, other] = [
      openClient({ prefix, at: server, through: proxy, presenceMs: 60_000 }),
      openClient({ prefix, at: server }),
    ];
    const semaphore = client.semaphore('api', { limit: 1 });
    await (await semaphore.acquire()).release();
    if (what === 'place in line') await other.semaphore('api', { limit: 1 }).acquire();
    const held = what === 'place in line' ? 1 : 0;

    // The server knows the script that cancels, but not the one that asks: that goes out twice.
    await onEach(redis, async (one) => {
      await one.script('FLUSH');
      await one.script('LOAD', releaseScript.text);
    });
    const [asked, cancelled] = [proxy.count(hashOf.acquire), proxy.count(hashOf.release)];
    const askedAgain = proxy.count(acquireScript.text.slice(0, 50));
    proxy.hold('replies');
    const controller = new AbortController();
    const request = watch(semaphore.acquire({ signal: controller.signal }));
    await until('it is asked', () => asked.count === 1);
    controller.abort(reason);
    await until('it is cancelled', () => cancelled.count === 1);
    proxy.resume();
    await until('it is asked again', () => askedAgain.count === 1);
    await semaphore.inspect(); // and answered
    expect(request.reason).toBe(reason);
    await until('nothing is left of it', async () => {
      const snapshot = await other.inspect('api');
      return snapshot.held === held && snapshot.waiting === 0;
    });
  });
});

it('whenever time-outs and aborts meet grants, no unit is lost and none is made: limit 3, two hundred requests', async () => {
  const prefix = uniquePrefix();
  const proxy = await openProxy();
  proxy.delay('replies', 3);
  const [client, other] = [openClient({ prefix, through: proxy }), openClient({ prefix })];
  const requests = Array.from({ length: 200 }, async (_, i) => {
    const semaphore = (i % 2 ? client : other).semaphore('api', { limit: 3 });
    // Some are patient, one in ten; the others end spread over the time in which the line is being served.
    const controller = new AbortController();
    const patient = i % 10 === 0;
    const timer = patient ? undefined : setTimeout(() => controller.abort(reason), (i * 7) % 120);
    try {
      const options = { signal: controller.signal, ...(!patient && { timeoutMs: 1 + ((i * 13) % 150) }) };
      const permit = await semaphore.acquire(options);
      await permit.release();
      return 'served';
    } catch {
      return 'gave up';
    } finally {
      clearTimeout(timer);
    }
  });
  const ends = await Promise.all(requests);
  expect(ends.filter((end) => end === 'served').length).toBeGreaterThanOrEqual(20);
  await until('all is given back', async () => {
    const { held, waiting } = await other.inspect('api');
    return held === 0 && waiting === 0;
  });
});

it('a listener on the signal is gone when the request has ended, so a long-lived signal gathers none', async () => {
  const semaphore = openClient().semaphore('api', { limit: 1 });
  const { signal } = new AbortController();
  const added: unknown[] = [];
  const removed: unknown[] = [];
  signal.addEventListener = (_type: string, listener: unknown) => added.push(listener);
  signal.removeEventListener = (_type: string, listener: unknown) => removed.push(listener);
  for (let i = 0; i < 5; i++) {
    await (await semaphore.acquire({ signal })).release();
  }
  expect(added).toHaveLength(5);
  expect(removed).toEqual(added);
});

it('a signal that a hundred requests wait on has one listener, and ends them in the order of asking', async () => {
  const semaphore = openClient().semaphore('api', { limit: 0 });
  const controller = new AbortController();
  let added = 0;
  const { addEventListener } = controller.signal;
  controller.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    added++;
    addEventListener.apply(controller.signal, args);
  };
  const ended: number[] = [];
  const requests = Array.from({ length: 100 }, (_, i) =>
    semaphore.acquire({ signal: controller.signal }).catch(() => ended.push(i)),
  );
  expect(added).toBe(1);
  controller.abort();
  await Promise.all(requests);
  expect(ended).toEqual(Array.from({ length: 100 }, (_, i) => i));
});
