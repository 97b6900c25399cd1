// A program as a user would write it. In its place, `connection.ts` may be connection-redis.ts.
import { type Permit, type Semaphore, SemaphoreClient, type SemaphoreSnapshot } from 'parkade';
import { instrument } from 'parkade/otel';
import { disconnect, redis } from './connection.js';

async function main(): Promise<void> {
  const stop: () => void = instrument({ spans: false });
  {
    await using client = new SemaphoreClient(await redis, {
      prefix: process.env['PREFIX'],
      retentionMs: 10_000,
    });
    const api: Semaphore = client.semaphore('api', { limit: 1 });
    {
      await using permit: Permit = await api.acquire({ timeoutMs: 10_000 });
      console.log(permit.weight, (await api.tryAcquire())?.id);
    }
    const doubled: number[] = await api.map(['1', '2'], (text) => Number(text) * 2);
    const snapshot: SemaphoreSnapshot = await api.inspect();
    console.log(doubled, snapshot.held);
  }
  stop();
  await disconnect();
}

void main();
