import { setTimeout as sleep } from 'node:timers/promises';
import { semaphores } from './semaphores.ts';

const name = process.env['SEMAPHORE'] ?? 'payments-api';
const payments = semaphores.semaphore(name, { limit: 1, leaseMs: 3_000 });

export async function handler({ workMs }: { workMs: number }) {
  return payments.run(
    async (permit) => {
      await sleep(workMs, undefined, { signal: permit.signal }); // in place of a call of the API
      return { permitId: permit.id };
    },
    { timeoutMs: 8_000 }, // waiting is paid for, too
  );
}

process.once('SIGTERM', async () => {
  await semaphores.close();
  process.exit();
});
