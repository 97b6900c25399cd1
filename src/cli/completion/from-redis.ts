import type { SemaphoreClient } from '../../index.ts';
import { openClient, type RedisFlags } from '../redis.ts';
import { showMs } from '../values.ts';
import type { Candidate, Wanted } from './wanted.ts';

/** Whoever presses a key does not wait longer, however far Redis is, and however many keys it has. */
const mostMs = 1_500;
const mostNames = 200;

/**
 * Names of semaphores, or permits of one, that begin with what was typed: those found in time. Never
 * rejects, and leaves its connection to the end of the process.
 */
export async function candidatesFromRedis(
  flags: RedisFlags,
  wanted: Extract<Wanted, { kind: 'semaphore' | 'permit' }>,
  typed: string,
): Promise<readonly Candidate[]> {
  const found: Candidate[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    const client = openClient(flags, { unavailableAfterMs: mostMs, attemptTimeoutMs: mostMs });
    const looking =
      wanted.kind === 'semaphore' ? names(client, typed, found) : permits(client, wanted.semaphore, found);
    const enough = new Promise<void>((resolve) => {
      client.once('error', () => resolve());
      timer = setTimeout(resolve, mostMs);
    });
    await Promise.race([looking, enough]);
  } catch {
    // without Redis there is nothing to offer, and a line in the middle of a prompt helps nobody
  }
  clearTimeout(timer);
  return found;
}

async function names(client: SemaphoreClient, typed: string, found: Candidate[]): Promise<void> {
  const match = `${typed.replace(/[*?[\]\\^]/g, '\\$&')}*`;
  for await (const value of client.list({ match })) {
    found.push({ value, about: 'semaphore' });
    if (found.length === mostNames) {
      return;
    }
  }
}

async function permits(client: SemaphoreClient, semaphore: string, found: Candidate[]): Promise<void> {
  const { holders, waiters } = await client.inspect(semaphore, { pageSize: mostNames });
  found.push(
    ...holders.map(({ id, expiresInMs }) => ({
      value: id,
      about: `holds, its lease ends in ${showMs(expiresInMs)}`,
    })),
    ...waiters.map(({ id, waitingMs }) => ({ value: id, about: `waits for ${showMs(waitingMs)}` })),
  );
}
