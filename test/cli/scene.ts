import { openClient } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { until, watch } from '../support/until.ts';

/** Three semaphores: `api` is full with a line of two, `jobs` half in use, `zero` idle. */
export async function threeSemaphores(prefix = uniquePrefix()) {
  const client = openClient({ prefix, label: 'worker' });
  const api = client.semaphore('api', { limit: 2 });
  const permits = [await api.acquire(), await api.acquire()];
  const waiting = [watch(api.acquire()), watch(api.acquire())];
  await client.semaphore('jobs', { limit: 4 }).acquire({ weight: 2 });
  await (await client.semaphore('zero', { limit: 5 }).acquire()).release();
  await until('two wait', async () => (await client.inspect('api')).waiting === 2);
  return { prefix, client, api, permits, waiting };
}
