import { SemaphoreClient } from 'parkade';

const kept = globalThis as { semaphores?: SemaphoreClient };
kept.semaphores ??= new SemaphoreClient(process.env['REDIS_URL'] ?? 'redis://localhost:6379', {
  presenceMs: 2_000,
  attemptTimeoutMs: 500,
  unavailableAfterMs: 3_000,
});

/** One client for all invocations of this instance, also when a development server loads this module again. */
export const semaphores = kept.semaphores;
