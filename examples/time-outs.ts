// One permit, held for two seconds. Two wait for it, three seconds at most: the second is served; the third is if the
// second is done soon enough, and otherwise gives up and leaves the line as if it had never asked.
//
//     npm run redis -- npx tsx examples/time-outs.ts

import { setTimeout as sleep } from 'node:timers/promises';
import { AcquireTimeoutError, SemaphoreClient } from 'parkade';

await using client = new SemaphoreClient(process.env['REDIS_URL'] ?? 'redis://localhost:6379');

async function workWithTimeout(semaphoreName: string, name: string, seconds: number): Promise<void> {
  const semaphore = client.semaphore(semaphoreName, { limit: 1 });
  try {
    await using _permit = await semaphore.acquire({ timeoutMs: 3_000 });
    console.log(`${name} got semaphore after waiting`);
    await sleep(seconds * 1000);
  } catch (error) {
    if (!(error instanceof AcquireTimeoutError)) {
      throw error;
    }
    console.log(`${name} timed out waiting for semaphore`);
  }
}

async function scene(name: string, secondSeconds: number): Promise<void> {
  console.log(`The second holds it for ${secondSeconds} s:`);
  const tasks = [workWithTimeout(name, 'task1', 2)];
  await sleep(100); // task1 first
  tasks.push(workWithTimeout(name, 'task2', secondSeconds), workWithTimeout(name, 'task3', 0.5));
  await Promise.all(tasks);
  const { held, waiting } = await client.inspect(name);
  console.log(`At the end: ${held} held, ${waiting} waiting`);
}

await scene('time-outs-short', 0.5);
await scene('time-outs-long', 1.5);
