// Pods with limit 3 run while pods with limit 5 are rolled out: three policies, and what happens under each.
//
//     npm run redis -- npx tsx examples/rolling-limit.ts

import { LimitMismatchError, type OnLimitMismatch, SemaphoreClient } from 'parkade';

const url = process.env['REDIS_URL'] ?? 'redis://localhost:6379';

async function rollOut(onLimitMismatch: OnLimitMismatch): Promise<void> {
  const name = `rolling-limit-${onLimitMismatch}-${process.pid}`;
  await using oldPod = new SemaphoreClient(url);
  await using newPod = new SemaphoreClient(url);
  const before = oldPod.semaphore(name, { limit: 3 });
  const after = newPod.semaphore(name, { limit: 5, onLimitMismatch });
  await Promise.all([before.acquire(), before.acquire(), before.acquire(), newPod.inspect(name)]);

  // The old pod's fourth request waits. What does the arrival of the new pod change?
  const fourth = before.acquire({ timeoutMs: 1_000 }).then(
    () => 'is served',
    () => 'is not served',
  );
  const fifth = await after.acquire({ timeoutMs: 100 }).then(
    () => 'gets a permit',
    (error: Error) => (error instanceof LimitMismatchError ? 'is refused' : 'waits its turn'),
  );
  const { limit } = await oldPod.inspect(name);
  console.log(
    `${onLimitMismatch}: the limit is ${limit}, the new pod ${fifth}, the old pod's waiter ${await fourth}`,
  );
}

await rollOut('error'); // the default: the new pod finds out that somebody disagrees
await rollOut('adopt'); // the new pod goes along with the limit that is there
await rollOut('resize'); // the new pod sets its limit for everyone, old pods included

// Without any mismatch: deploy with the old limit, and change it live when all pods are there.
await using operator = new SemaphoreClient(url);
const semaphore = operator.semaphore(`rolling-limit-live-${process.pid}`, { limit: 3 });
await semaphore.acquire();
await semaphore.resize(5);
console.log(`resize: the limit is ${(await semaphore.inspect()).limit}`);
