import { describe, expect, it } from 'vitest';
import {
  apiOf,
  onEach,
  openClient,
  openClients,
  openRedis,
  openServer,
  restorationsOf,
} from '../support/clients.ts';
import { needs } from '../support/ground.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { until, watch } from '../support/until.ts';

refuseStrayErrors();

describe('after FLUSHALL', () => {
  it('holders keep what they hold, the line its order, tokens rise, and nothing is granted twice', async () => {
    const server = await openServer();
    const redis = openRedis(server);
    const prefix = uniquePrefix();
    const clients = openClients(3, { prefix, at: server, presenceMs: 900 });
    const restored = restorationsOf(...clients);
    const [a, b, c] = apiOf(clients, { limit: 2 });
    const asking = [c, a, b, c, a, b];
    const held = [await a.acquire(), await b.acquire()];
    let inUse = 2;
    const served: { i: number; token: number }[] = [];
    for (const [i, semaphore] of asking.entries()) {
      watch(
        semaphore.run(
          async ({ fencingToken }) => {
            inUse += 2;
            expect(inUse).toBe(2);
            served.push({ i, token: fencingToken });
            await new Promise((resolve) => setTimeout(resolve, 5));
            inUse -= 2;
          },
          { weight: 2 }, // all there is: only then do tokens rise in the order of granting
        ),
      );
      await until('it waits', async () => (await a.inspect()).waiting === i + 1);
    }

    await onEach(redis, (one) => one.flushall());
    await until('all have restored', () => restored.length === 3);
    expect(restored.reduce((sum, { permits }) => sum + permits, 0)).toBe(2);
    expect(restored.reduce((sum, { waiters }) => sum + waiters, 0)).toBe(6);
    expect(held.every((permit) => permit.isHeld)).toBe(true);
    expect(await a.inspect()).toMatchObject({ limit: 2, held: 2, waiting: 6 });
    for (const permit of held) {
      inUse--;
      expect(await permit.release()).toBe(true);
    }
    await until('all are served', () => served.length === 6 && inUse === 0);
    served.sort((x, y) => x.token - y.token);
    expect(served.map(({ i }) => i)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(new Set(served.map(({ token }) => token)).size).toBe(6);
    const before = Math.max(...held.map((permit) => permit.fencingToken ?? 0));
    expect(served[0]?.token).toBeGreaterThan(before);
  });

  it('SCRIPT FLUSH costs nothing: the next call brings the text along', async () => {
    const server = await openServer();
    const redis = openRedis(server);
    const client = openClient({ at: server });
    const restored = restorationsOf(client);
    const semaphore = client.semaphore('api', { limit: 1, leaseMs: 300 });
    const permit = await semaphore.acquire();
    const next = watch(semaphore.acquire());
    for (let i = 0; i < 5; i++) {
      await onEach(redis, (one) => one.script('FLUSH'));
      await permit.renew();
    }
    await onEach(redis, (one) => one.script('FLUSH'));
    expect(await permit.release()).toBe(true);
    await until('the next is served', () => next.state === 'resolved');
    expect(restored).toEqual([]);
  });

  it('or a restart without data, a renewal comes in time', async () => {
    needs('one server');
    const server = await openServer();
    const client = openClient({ at: server });
    const restored = restorationsOf(client);
    const semaphore = client.semaphore('api', { limit: 1, leaseMs: 5_000 });
    const permit = await semaphore.acquire();
    await semaphore.resize(3);
    const waiter = watch(semaphore.acquire({ weight: 3 }));
    await until('it waits', async () => (await semaphore.inspect()).waiting === 1);
    await server.stop();
    await server.startAgain();
    await until('it is restored', () => restored.length === 1);
    expect(restored).toEqual([{ semaphore: 'api', permits: 1, waiters: 1 }]);
    expect(permit.isHeld).toBe(true);
    expect(await semaphore.inspect()).toMatchObject({ limit: 3, held: 1, waiting: 1 });
    expect(await permit.release()).toBe(true);
    await until('the waiter is served', () => waiter.state === 'resolved');
  });
});
