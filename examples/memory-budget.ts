// A budget of 64 MiB that the worker processes of one machine share: a permit weighs what its job will need. Small
// jobs run beside each other, a big one waits until there is room, and what comes behind it does not overtake it.
//
//     npm run redis -- npx tsx examples/memory-budget.ts

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { SemaphoreClient, WeightExceedsLimitError } from 'parkade';

const budgetMib = 64;
const [name, ...jobs] = process.argv.slice(2);
if (name !== undefined) {
  await work(name, jobs.map(Number));
} else {
  await watchWorkers();
}

/** A worker: does its jobs one after the other, each so many MiB. */
async function work(name: string, jobsMib: number[]): Promise<void> {
  await using client = new SemaphoreClient(process.env['REDIS_URL'] ?? 'redis://localhost:6379');
  const budget = client.semaphore(name, { limit: budgetMib });
  for (const mib of jobsMib) {
    await budget
      .run(() => resize(mib), { weight: mib })
      .catch((error: unknown) => {
        if (!(error instanceof WeightExceedsLimitError)) {
          throw error;
        }
        console.log(`Refused at once: ${error.message}`); // and nobody waits for it in vain
      });
  }
  process.disconnect?.();
}

async function resize(mib: number): Promise<void> {
  await tell(mib);
  let image: Buffer | undefined = Buffer.alloc(mib * 2 ** 20, 1); // filled, so that it is really there
  await sleep(image.length / 2 ** 18); // simulated work: 4 ms for each MiB
  image = undefined;
  await tell(-mib);
}

/** Says how the memory in use changes, and waits until that is counted. */
async function tell(mib: number): Promise<void> {
  process.send?.(mib);
  await once(process, 'message');
}

/** The machine: starts the workers, and counts what they use at once. */
async function watchWorkers(): Promise<void> {
  const name = `memory-mib:${hostname()}:${process.pid}`; // a budget for each machine
  let [usedMib, peakMib, jobsAtOnce, peakJobs, done] = [0, 0, 0, 0, 0];
  const workers = ['8 8 40 8', '8 48 8', '16 8 80 24'].map((jobs) => {
    const worker: ChildProcess = fork(import.meta.filename, [name, ...jobs.split(' ')]);
    worker.on('message', (mib: number) => {
      usedMib += mib;
      peakMib = Math.max(peakMib, usedMib);
      jobsAtOnce += Math.sign(mib);
      peakJobs = Math.max(peakJobs, jobsAtOnce);
      done += mib < 0 ? 1 : 0;
      worker.send('counted');
    });
    return worker;
  });
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  console.log(`${done} jobs of ${workers.length} processes, at most ${peakJobs} at once`);
  console.log(`They used at most ${peakMib} of ${budgetMib} MiB at once`);
}
