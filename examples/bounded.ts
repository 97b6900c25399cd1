// A bounded semaphore refuses a release too many, and says what went wrong.
//
//     npm run redis -- npx tsx examples/bounded.ts

import { PermitNotHeldError, SemaphoreClient } from 'parkade';

await using client = new SemaphoreClient(process.env['REDIS_URL'] ?? 'redis://localhost:6379');
const semaphore = client.boundedSemaphore('bounded', { limit: 2 });
const available = async () => (await semaphore.inspect()).available;

await semaphore.acquire();
await semaphore.acquire();
console.log(`Semaphore value: ${await available()}`);
await semaphore.release();
console.log(`After one release: ${await available()}`);
await semaphore.release();
console.log(`After second release: ${await available()}`);
try {
  await semaphore.release();
} catch (error) {
  if (!(error instanceof PermitNotHeldError)) {
    throw error;
  }
  console.log(`Error: ${error.message}`);
}
