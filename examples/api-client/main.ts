// An API client with retries: a permit is held while a request is under way, never while backing off. So whoever is
// told to come back later makes room for the others meanwhile, and then asks behind them.
//
//     npm run redis -- npx tsx examples/api-client/main.ts

import { setTimeout as sleep } from 'node:timers/promises';
import { PermitLostError, SemaphoreClient } from 'parkade';
import { startApi } from './api.ts';

await using client = new SemaphoreClient(process.env['REDIS_URL'] ?? 'redis://localhost:6379');
const semaphore = client.semaphore(`api-client-${process.pid}`, { limit: 3 });

type Outcome = { body: string } | { failure: string; retryAfterMs?: number };

/** One GET, made again up to four times where that makes sense: when the API says so, or with growing pauses. */
async function get(url: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await semaphore.run((permit) => request(url, permit.signal)).catch(outcomeOf);
    if ('body' in outcome) {
      return outcome.body;
    }
    if (attempt === 5) {
      throw new Error(`Gave up on ${url}: ${outcome.failure}`);
    }
    // The permit was released above. A bit more than was asked for, so that not all come back at the same moment.
    await sleep((outcome.retryAfterMs ?? 100 * 2 ** attempt) * (1 + Math.random() / 10));
  }
}

async function request(url: string, lost: AbortSignal): Promise<Outcome> {
  const response = await fetch(url, { signal: AbortSignal.any([lost, AbortSignal.timeout(30_000)]) });
  const body = await response.text(); // under the permit, too: so long the API is busy with it
  if (response.ok) {
    return { body };
  }
  if (response.status !== 429 && response.status < 500) {
    throw new Error(`${response.status} ${body}`); // asking again will not help
  }
  const seconds = Number(response.headers.get('retry-after'));
  return seconds > 0
    ? { failure: `${response.status}`, retryAfterMs: seconds * 1000 }
    : { failure: `${response.status}` };
}

/** A GET can be made again when its connection broke, or it was aborted since its permit was lost. */
function outcomeOf(error: unknown): Outcome {
  if (error instanceof PermitLostError || error instanceof TypeError) {
    return { failure: error.message };
  }
  throw error;
}

// Ten pages. The API refuses the first three requests for a second, and lets the seventh page hang, once.
const api = await startApi();
const pages = Promise.all(Array.from({ length: 10 }, (_, i) => get(`${api.url}/${i + 1}`)));
while (api.served.length < 9 || (await semaphore.inspect()).holding > 1) {
  await sleep(10);
}
console.log(`Served while three backed off: ${api.served.slice(0, 6).join(' ')}`);
console.log(`Then, ${(api.shortestPauseMs / 1000).toFixed(1)} s later: ${api.served.slice(6).join(' ')}`);

// An operator sees the one that hangs, and takes its permit away.
const { holders } = await semaphore.inspect();
await client.revoke(semaphore.name, holders[0]?.id ?? '');
console.log(`Pages: ${(await pages).length}, at most ${api.peak} requests at once`);
console.log(`Aborted when its permit was taken away, and made again: ${api.aborted.join(' ')}`);
api.close();
