// A worker of a BullMQ queue that serves many tenants, at most two jobs of each at once, over all workers.
// Arguments: the queue, and the address of what the jobs use.

import { DelayedError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { SemaphoreClient } from 'parkade';

const [queue = 'exports', api = ''] = process.argv.slice(2);
const url = process.env['REDIS_URL'] ?? 'redis://localhost:6379';
const redis = new Redis(url, { maxRetriesPerRequest: null }); // as BullMQ wants it; parkade can share it
const client = new SemaphoreClient(redis);

const worker = new Worker<{ tenant: string }>(
  queue,
  async (job, token) => {
    const { tenant } = job.data;
    // Waiting here would keep one of the worker's few places from the other tenants. So a job whose tenant is busy goes
    // back, for about as long as a job takes, and not all at the same moment; it does not count as an attempt.
    await using permit = await client.semaphore(`${queue}:${tenant}`, { limit: 2 }).tryAcquire();
    if (permit === null) {
      await job.moveToDelayed(Date.now() + 300 + Math.random() * 300, token);
      throw new DelayedError();
    }
    await fetch(`${api}/${tenant}/${job.id}`, { signal: permit.signal });
  },
  { connection: redis, concurrency: 4 },
);
worker.on('error', (error) => console.error(error.message));

// Takes no more jobs, finishes those that it has, and ends.
process.once('SIGTERM', async () => {
  await worker.close();
  await client.close();
  redis.disconnect();
});
