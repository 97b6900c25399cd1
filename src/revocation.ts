import type { Attempts } from './attempts.ts';
import { ClientClosedError, InvalidOptionsError } from './errors.ts';
import { readRecord } from './redis/keys.ts';
import { type Grant, nobody, type SemaphoreStore } from './redis/store.ts';

/**
 * For how long a revoked record is remembered at least, ms: a waiter whose client was away for less than this does not
 * get its place back. A permit is remembered for as long as its holder may rely on it, in any case.
 */
const memoryMs = 60 * 60 * 1000;

/** What came of it, besides what the client's own waiters were granted by the units that became free. */
export interface Revocation {
  readonly revoked: boolean;
  readonly epoch: number;
  /** The server's time, ms. */
  readonly nowMs: number;
  readonly limit: number;
  readonly grants: readonly Grant[];
}

/**
 * Takes a permit from its holder, or a waiter out of the line, without joining in.
 *
 * @throws InvalidOptionsError if the id is none
 * @throws what `Attempts.run` throws
 */
export async function revoke(
  store: SemaphoreStore,
  attempts: Attempts,
  name: string,
  permitId: string,
): Promise<Revocation> {
  if (typeof permitId !== 'string' || permitId.length > 1000 || readRecord(permitId) === undefined) {
    throw new InvalidOptionsError(
      `Bad permit of '${name}'`,
      [
        `its id is '${String(permitId).slice(0, 60)}', allowed is what inspect() lists: client/number/weight/lease`,
      ],
      name,
    );
  }
  const send = async () => {
    const reply = await store.revoke(nobody, permitId, memoryMs);
    if (reply.kind !== 'ok') {
      throw new Error('parts of its data are lost, and no client that uses it has mended it yet');
    }
    return {
      revoked: reply.answers[0] === true,
      epoch: reply.epoch,
      nowMs: reply.nowMs,
      limit: reply.limit,
      grants: reply.grants,
    };
  };
  const limits = { doing: 'revoke', semaphore: name, giveUpAtMs: attempts.giveUpAtMs() };
  const result = await attempts.run(send, limits);
  if (result.kind === 'abandoned') {
    throw new ClientClosedError(name);
  }
  return result.value;
}
