// One of several pods, all of which wake up at midnight. Arguments: the semaphore, the night, the pod's name.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Permit, PermitLostError, SemaphoreClient } from 'parkade';

const [name = 'nightly-totals', night = '', pod = ''] = process.argv.slice(2);
const client = new SemaphoreClient(process.env['REDIS_URL'] ?? 'redis://localhost:6379', {
  label: pod,
  presenceMs: 1_000,
});
const job = client.semaphore(name, { limit: 1, leaseMs: 1_500 });
// Asked to end, a pod that waits leaves the line; one that has the permit finishes, and releases it.
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

try {
  await job.run(addUp, { signal: stop.signal });
} catch (error) {
  if (error instanceof PermitLostError) {
    console.log(`${pod} has lost its permit`);
  } else if (stop.signal.aborted) {
    console.log(`${pod} leaves the line`);
  } else {
    throw error;
  }
} finally {
  await client.close();
  process.disconnect?.();
}

async function addUp({ fencingToken }: Permit): Promise<void> {
  console.log(`${pod} has the permit`);
  if (await ask({ writerOf: night })) {
    console.log(`${pod}: tonight's total is there already`);
    return;
  }
  await sleep(300); // simulated adding up
  // permit.signal tells when the permit is lost. But a process can be stopped right here, just after it looked, and so
  // can a packet on its way: only the database can tell for certain.
  const refusal = await ask({ write: { night, pod, totalCents: 123_456, fencingToken } });
  console.log(`${pod} writes: ${refusal === undefined ? 'accepted' : `refused, ${refusal}`}`);
}

/** The database is another process. */
async function ask(question: unknown): Promise<string | undefined> {
  process.send?.(question);
  const [{ answer }] = (await once(process, 'message')) as [{ answer?: string }];
  return answer;
}
