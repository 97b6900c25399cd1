import { inspect as print } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SemaphoreClient } from '../../src/index.ts';
import { openClient, openClients } from '../support/clients.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';
import { startWorkers, type Worker } from '../support/workers.ts';
import { asyncioSuite, fifoSuite, four } from './asyncio-suite.ts';

refuseStrayErrors();

describe('as asyncio’s semaphore, with all actors in one client,', () => {
  asyncioSuite((limit) => {
    const client = openClient();
    const actors = four(() => client.semaphore('spots', { limit }));
    return { actors, inspect: () => client.inspect('spots') };
  });

  it('a negative limit is refused (test_semaphore_value)', () => {
    expect(() => openClient().semaphore('spots', { limit: -1 })).toThrow(
      /limit is -1, allowed is an integer ≥ 0/,
    );
  });

  it('what one prints shows the value and the number of waiters (test_repr)', async () => {
    const semaphore = openClient().semaphore('spots', { limit: 2 });
    expect(print(semaphore)).toContain('limit 2');
    await semaphore.acquire({ weight: 2 });
    watch(semaphore.acquire());
    await until('one waits', async () => (await semaphore.inspect()).waiting === 1);
    expect(print(semaphore)).toContain('1 waiting');
    expect(await semaphore.inspect()).toMatchObject({ limit: 2, available: 0, waiting: 1 });
  });

  it('a bounded one that is released too often refuses (test_release_not_acquired)', async () => {
    const bounded = openClient().boundedSemaphore('spots', { limit: 1 });
    await bounded.acquire();
    expect(await bounded.release()).toBe(true);
    expect(await rejection(bounded.release())).toMatchObject({ code: 'PERMIT_NOT_HELD' });
    expect((await bounded.inspect()).available).toBe(1);
  });
});

describe('as asyncio’s semaphore, with every actor in a client of its own,', () => {
  asyncioSuite((limit) => {
    const prefix = uniquePrefix();
    const clients = four(() => openClient({ prefix }));
    return {
      actors: four((i) => clients[i].semaphore('spots', { limit })),
      inspect: () => clients[0].inspect('spots'),
    };
  });

  it('a bounded one that is released too often, by whomever, refuses (test_release_not_acquired)', async () => {
    const [holder, other] = openClients(2);
    const one = holder.boundedSemaphore('spots', { limit: 1 });
    await one.acquire();
    const release = other.boundedSemaphore('spots', { limit: 1 }).release();
    expect(await rejection(release)).toMatchObject({ code: 'PERMIT_NOT_HELD' });
    expect(await one.inspect()).toMatchObject({ held: 1, available: 0 });
  });
});

describe('as asyncio’s semaphore, with every actor in a process of its own,', () => {
  let started: Awaited<ReturnType<typeof startWorkers>>;
  let onlooker: SemaphoreClient;
  let scenes = 0;

  beforeAll(async () => {
    started = await startWorkers(4);
    onlooker = new SemaphoreClient(redisUrl(), { prefix: started.prefix });
  });
  afterAll(async () => {
    await onlooker.close();
    await started.stop();
  });

  fifoSuite((limit) => {
    const name = `spots ${++scenes}`;
    return {
      actors: four((i) => (started.workers[i] as Worker).semaphore(name, { limit })),
      inspect: () => onlooker.inspect(name),
    };
  });
});
