import { expect, it } from 'vitest';
import { openClient, untilListening } from '../support/clients.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { until, watch } from '../support/until.ts';
import { openWorkers, type Worker } from '../support/workers.ts';

refuseStrayErrors();

/** What the semaphore guards: it refuses a token lower than the highest that it has seen. */
class Store {
  readonly written: string[] = [];
  #highest = 0;

  write(token: number, what: string): boolean {
    if (token < this.#highest) return false;
    this.#highest = token;
    this.written.push(what);
    return true;
  }
}

it('a holder that was paused past its lease learns of the loss before it can use the permit; its late write is refused', async () => {
  const presenceMs = 900;
  const { workers, prefix } = await openWorkers(1, { presenceMs });
  const client = openClient({ prefix, presenceMs });
  const [worker] = workers;
  const store = new Store();
  const theirs = await worker?.semaphore('api', { limit: 1 }).acquire({ leaseMs: 700 });
  if (worker === undefined || theirs === undefined) throw new Error('there is no worker');
  expect(await worker.look(theirs)).toMatchObject({ isHeld: true, aborted: false });
  expect(store.write(theirs.fencingToken, 'theirs')).toBe(true);

  worker.pause();
  const permit = await client.semaphore('api', { limit: 1 }).acquire();
  expect(store.write(permit.fencingToken, 'ours')).toBe(true);
  // What it does first when it runs again, before any timer had a chance, is to look.
  const looking = worker.look(theirs);
  worker.go();
  expect(await looking).toEqual({ isHeld: false, aborted: true, reason: 'PERMIT_LOST' });
  expect(store.write(theirs.fencingToken, 'too late')).toBe(false);
  expect(store.written).toEqual(['theirs', 'ours']);

  expect(await worker.semaphore('api', { limit: 1 }).release(theirs)).toBe(false);
  expect(permit.isHeld).toBe(true);
  expect((await client.inspect('api')).holders).toMatchObject([{ id: permit.id }]);
});

it('a waiter that was paused past the lease of its grant is not handed that grant, but waits for another', async () => {
  const presenceMs = 900;
  const { workers, prefix } = await openWorkers(1, { presenceMs });
  const client = openClient({ prefix, presenceMs });
  const semaphore = client.semaphore('api', { limit: 1 });
  const [worker] = workers as [Worker];
  const held = await semaphore.acquire();
  const request = watch(worker.semaphore('api', { limit: 1 }).acquire());
  await until('it waits', async () => (await semaphore.inspect()).waiting === 1);

  await untilListening(worker, prefix);
  worker.pause();
  await held.release();
  const [grant] = (await semaphore.inspect()).holders;
  expect(grant?.client).toBe(worker.id);
  const rival = await semaphore.acquire(); // when the grant has ended
  worker.go();
  await until('it asks anew', async () => (await semaphore.inspect()).waiting === 1);
  expect(request.state).toBe('pending');
  await rival.release();
  const permit = await until('it is served', () => request.value);
  expect(permit.id).not.toBe(grant?.id);
  expect(permit.fencingToken).toBeGreaterThan(rival.fencingToken);
  expect(await worker.look(permit)).toMatchObject({ isHeld: true });
});

it('a paused waiter does not hold up the line, and has its old place when it runs again', async () => {
  const presenceMs = 1_500;
  const { workers, prefix } = await openWorkers(1, { presenceMs });
  const client = openClient({ prefix, presenceMs });
  const semaphore = client.semaphore('api', { limit: 1 });
  const [worker] = workers;
  const held = await semaphore.acquire();
  const paused = watch(worker?.semaphore('api', { limit: 1 }).acquire() ?? Promise.reject());
  await until('it waits', async () => (await semaphore.inspect()).waiting === 1);
  const second = watch(semaphore.acquire());
  await until('two wait', async () => (await semaphore.inspect()).waiting === 2);
  worker?.pause();
  const startMs = performance.now();
  await until('its presence is over', async () => {
    await held.renew(); // without a silence, after which Redis would give it another presence time
    return performance.now() - startMs > 1.3 * presenceMs;
  });
  await held.release();
  const permit = await until('the second is served', () => second.value);
  const third = watch(semaphore.acquire());
  await until('a third waits', async () => (await semaphore.inspect()).waiting === 1);
  worker?.go();
  await until('the paused one is first in line', async () => {
    const { waiters } = await semaphore.inspect();
    return waiters.length === 2 && waiters[0]?.client === worker?.id;
  });
  await permit.release();
  const theirs = await until('it is served', () => paused.value);
  expect(third.state).toBe('pending');
  await theirs.release();
  await until('the third is served', () => third.state === 'resolved');
});
