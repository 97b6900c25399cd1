// Five tasks, two permits: three waves of a second each, in the order of asking.
//
//     npm run redis -- npx tsx examples/five-tasks.ts

import { setTimeout as sleep } from 'node:timers/promises';
import { SemaphoreClient } from 'parkade';

await using client = new SemaphoreClient(process.env['REDIS_URL'] ?? 'redis://localhost:6379');
const semaphore = client.semaphore('five-tasks', { limit: 2 });

async function fetchData(name: string): Promise<string> {
  await using _permit = await semaphore.acquire();
  console.log(`${name} acquired semaphore`);
  await sleep(1000); // simulated work
  console.log(`${name} releasing semaphore`);
  return `${name} done`;
}

const start = performance.now();
const results = await Promise.all(['task0', 'task1', 'task2', 'task3', 'task4'].map(fetchData));
console.log(`${results.length} tasks in ${((performance.now() - start) / 1000).toFixed(1)} s`);
