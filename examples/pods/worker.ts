// A worker that lives in a container: does one piece of work after the other, here requests to an API that takes few at
// once, each under a permit that all pods share. When it is told to end (SIGTERM), it takes no more work, finishes what
// it has, which releases the permits, and exits with 0.

import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { SemaphoreClient } from 'parkade';

const { REDIS_URL = 'redis://localhost:6379', API_URL = 'http://localhost:8080' } = process.env;
const limit = Number(process.env['LIMIT'] ?? 3);
const atOnce = Number(process.env['AT_ONCE'] ?? 2);
const leaseMs = Number(process.env['LEASE_MS'] ?? 30_000);
/** No piece of work takes longer. */
const longestHoldMs = Number(process.env['LONGEST_HOLD_MS'] ?? 15_000);
/** Nor does anything wait longer for a Redis that is away. The grace period of the pod has to be longer than both together. */
const unavailableAfterMs = Number(process.env['UNAVAILABLE_AFTER_MS'] ?? 5_000);

const client = new SemaphoreClient(REDIS_URL, { prefix: process.env['PARKADE_PREFIX'], unavailableAfterMs });
client.on('error', (error) => console.error(error.message));
// While a new limit is rolled out, old pods and new ones declare different ones: the newest has its way.
const api = client.semaphore('api', { limit, leaseMs, onLimitMismatch: 'resize' });

const ending = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    console.log(`${signal}: takes no more work, finishes what it has`);
    ending.abort();
  });
}

let done = 0;

/** One request under a permit that is held already. With a queue, this is where its next job is taken. */
async function work(signal: AbortSignal): Promise<void> {
  const response = await fetch(`${API_URL}/${hostname()}`, {
    method: 'POST',
    signal: AbortSignal.any([signal, AbortSignal.timeout(longestHoldMs)]), // the lease is lost, or it takes too long
  });
  await response.text();
  done++;
}

async function workUntilTold(): Promise<void> {
  while (!ending.signal.aborted) {
    try {
      // First the permit, then the job: who is told to end while it waits in line has no job to give back.
      await api.run((permit) => work(permit.signal), { signal: ending.signal });
    } catch (error) {
      if (ending.signal.aborted && error === ending.signal.reason) break; // it left the line
      console.error(error instanceof Error ? error.message : error);
      await sleep(500, undefined, { signal: ending.signal }).catch(() => {}); // told to end: no need to wait
    }
  }
}

console.log(`works, ${atOnce} at once, under the limit of ${limit}`);
await Promise.all(Array.from({ length: atOnce }, workUntilTold));
await client.close();
console.log(`ends, after ${done} requests`);
