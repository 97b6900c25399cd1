import { expect, it } from 'vitest';
import { expectFree, openClient, openRedis, recordsOf } from '../support/clients.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';
import { openWorkers } from '../support/workers.ts';

refuseStrayErrors();

/** What comes on top of the times that are promised: this machine is busy. */
const slackMs = 1_500;

it('the permit of a process that was killed is back within its lease and a beat', async () => {
  const presenceMs = 900;
  const { workers, prefix } = await openWorkers(1, { presenceMs });
  const client = openClient({ prefix, presenceMs });
  const semaphore = client.semaphore('api', { limit: 1 });
  const leaseMs = 1_500;
  const theirs = await workers[0]?.semaphore('api', { limit: 1 }).acquire({ leaseMs });
  const next = watch(semaphore.acquire());
  await until('one waits', async () => (await semaphore.inspect()).waiting === 1);
  await workers[0]?.kill();
  const killedAtMs = performance.now();
  expect((await semaphore.inspect()).holders).toMatchObject([{ id: theirs?.id }]);
  const permit = await until('it is back', () => next.value);
  expect(performance.now() - killedAtMs).toBeLessThan(leaseMs + presenceMs / 3 + slackMs);
  expect(permit.fencingToken).toBeGreaterThan(theirs?.fencingToken ?? 0);
  await permit.release();
  await expectFree(client, 'api', 1);
});

it('a killed process at the head of the line delays the next live one by a presence time at most', async () => {
  const presenceMs = 1_200;
  const { workers, prefix } = await openWorkers(1, { presenceMs });
  const client = openClient({ prefix, presenceMs });
  const semaphore = client.semaphore('api', { limit: 1 });
  const held = await semaphore.acquire();
  const dead = watch(workers[0]?.semaphore('api', { limit: 1 }).acquire() ?? Promise.reject());
  await until('it waits', async () => (await semaphore.inspect()).waiting === 1);
  const next = watch(semaphore.acquire());
  await until('two wait', async () => (await semaphore.inspect()).waiting === 2);
  await workers[0]?.kill();
  const killedAtMs = performance.now();
  await held.release();
  const permit = await until('the next is served', () => next.value);
  expect(performance.now() - killedAtMs).toBeLessThan(presenceMs + presenceMs / 3 + slackMs);
  expect(dead.state).toBe('rejected');
  await permit.release();
  await expectFree(client, 'api', 1);
});

it('five killed processes in line, with fifty requests, delay the next live one by one presence time in all', async () => {
  const presenceMs = 1_500;
  const { workers, prefix } = await openWorkers(5, { presenceMs });
  const client = openClient({ prefix, presenceMs });
  const semaphore = client.semaphore('api', { limit: 1 });
  const held = await semaphore.acquire();
  for (const worker of workers) {
    for (let i = 0; i < 10; i++) watch(worker.semaphore('api', { limit: 1 }).acquire());
  }
  await until('fifty wait', async () => (await semaphore.inspect()).waiting === 50);
  const next = watch(semaphore.acquire());
  await until('all wait', async () => (await semaphore.inspect()).waiting === 51);
  await Promise.all(workers.map((worker) => worker.kill()));
  const killedAtMs = performance.now();
  await held.release();
  const permit = await until('the live one is served', () => next.value);
  expect(performance.now() - killedAtMs).toBeLessThan(presenceMs + presenceMs / 3 + slackMs);
  expect((await recordsOf(openRedis(), prefix, 'api')).waiters).toEqual([]);
  await permit.release();
  await expectFree(client, 'api', 1);
});

it('wherever in its work a process is killed, the semaphore is whole again after one lease', async () => {
  const presenceMs = 600;
  const { workers, prefix } = await openWorkers(4, { presenceMs });
  const client = openClient({ prefix, presenceMs });
  const semaphore = client.semaphore('api', { limit: 2 });
  const loops = workers.map((worker) =>
    rejection(worker.semaphore('api', { limit: 2 }).loop(1_000_000, { leaseMs: 500 })),
  );
  for (const worker of workers) {
    const before = (await semaphore.acquire()).fencingToken;
    await semaphore.release();
    await until('they are busy', async () => {
      const permit = await semaphore.acquire();
      await permit.release();
      return permit.fencingToken > before;
    });
    await worker.kill();
  }
  await Promise.all(loops);
  // Both units, and nobody in line before: all that the four held and waited for is gone.
  const permit = await semaphore.acquire({ weight: 2, timeoutMs: 5_000 });
  expect(permit.isHeld).toBe(true);
  await permit.release();
  await expectFree(client, 'api', 2);
});
