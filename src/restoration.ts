import type { EngineParts } from './engine-parts.ts';
import type { Lease } from './lease.ts';
import { batchSize } from './redis/store.ts';
import type { Waiter } from './waiter.ts';

/** What is to be put back. */
export interface Belongings {
  readonly leases: readonly Lease[];
  readonly waiters: readonly Waiter[];
}

type RestorationParts = Omit<EngineParts, 'clientId' | 'line'>;

/**
 * Puts permits and places in line back into Redis, permits with what is left of their leases, waiters with their
 * tickets. Tried until it succeeds or the client is closed: nothing else of the semaphore can go on before.
 *
 * With `lost`, data was lost: the first client to say so begins a new epoch, closed for half a presence time. Every
 * live client checks in within a third of it, so all that is still held is known again before anything is granted.
 * Without, only our own waiters were dropped while we were silent.
 *
 * What was revoked meanwhile is not put back; `revoked` hears of permits.
 *
 * Resolves `false` if it was without, and data turns out to be lost too; nothing was put back then.
 *
 * @throws RedisRefusedError or ClientClosedError
 */
export async function putBack(
  parts: RestorationParts,
  belongings: Belongings,
  lost: boolean,
  revoked: (lease: Lease) => void,
): Promise<boolean> {
  const { store, session, attempts, keeper, clock, name, presenceMs } = parts;
  const entries = [...belongings.leases, ...belongings.waiters];
  const before = session.caller();
  for (let start = 0; start === 0 || start < entries.length; start += batchSize) {
    let leases: Lease[] = [];
    let waiters: Waiter[] = [];
    const result = await attempts.run(
      () => {
        const batch = entries.slice(start, start + batchSize);
        leases = batch.filter(isLease).filter((lease) => lease.isHeld());
        waiters = batch.filter((entry) => !isLease(entry)).filter((waiter) => waiter.state === 'queued');
        return store.restore(before, {
          lost,
          windowMs: Math.ceil(presenceMs / 2),
          limit: session.limit,
          permits: leases.map(({ record, deadlineMs }) => ({
            record,
            remainingMs: Math.max(1, Math.floor(deadlineMs - clock.monotonicMs())),
          })),
          waiters: waiters.map(({ record, ticket }) => ({ record, ticket })),
        });
      },
      { doing: 'put back what it held', semaphore: name, giveUpAtMs: Number.POSITIVE_INFINITY },
    );
    if (result.kind === 'abandoned' || result.value.kind !== 'ok') {
      return false;
    }
    const reply = result.value;
    session.hear(reply, result.sentAtMs);
    reply.answers.forEach((expiresAtMs, i) => {
      const lease = leases[i] as Lease;
      if (expiresAtMs === 'revoked') {
        revoked(lease);
      } else if (lease.isHeld()) {
        keeper.confirm(lease, expiresAtMs, session.bound.deadlineMs(expiresAtMs));
      }
    });
    for (const waiter of waiters) {
      waiter.queuedAtMs = reply.nowMs;
    }
  }
  return true;
}

function isLease(entry: Lease | Waiter): entry is Lease {
  return 'deadlineMs' in entry;
}
