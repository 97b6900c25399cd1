import type { EngineParts } from './engine-parts.ts';
import { NotReplicatedError, RedisUnavailableError } from './errors.ts';
import type { Lease } from './lease.ts';
import type { Outbox } from './outbox.ts';
import type { Reply, Revoked } from './redis/store.ts';
import type { Replication, Waiter } from './waiter.ts';

type AcknowledgerParts = Pick<EngineParts, 'name' | 'clock' | 'attempts' | 'store' | 'session' | 'keeper'>;

export interface AcknowledgerEvents {
  /** So many replicas have it: it can be handed out. */
  acknowledged(waiter: Waiter, lease: Lease): void;
  /** So many replicas have it, but its lease is over. */
  late(waiter: Waiter): void;
  /** Somebody took it away. */
  revoked(lease: Lease): void;
  /** Where it was looked for, it is not: a primary may have lost it. */
  doubtful(): void;
}

interface Grant {
  readonly waiter: Waiter;
  readonly lease: Lease;
  readonly record: string;
  readonly replication: Replication;
  /** When it is given up, monotonic. */
  readonly giveUpAtMs: number;
  /** How many replicas were heard to have it. */
  acknowledged: number;
}

/** How soon it is asked again where a primary did not know the grant, ms. */
const doubtPauseMs = 20;

/**
 * Holds grants back until replicas have acknowledged them.
 *
 * `WAIT` speaks of what its own connection has written, and a grant may have been written by somebody else's script. So
 * each grant is renewed, which is a write behind it in the one stream that replicas follow, and shows that this primary
 * has it; then `WAIT` on the same connection. Whatever fails is begun anew as a whole, until the time is over. What is
 * not acknowledged by then is given back, and the request rejects.
 */
export class Acknowledger {
  readonly #parts: AcknowledgerParts;
  readonly #events: AcknowledgerEvents;
  readonly #push: (grant: Grant) => void;

  constructor(parts: AcknowledgerParts, outbox: Outbox, events: AcknowledgerEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#push = outbox.open<Grant>({
      send: async (batch) => {
        for (const group of alike(batch)) {
          void this.#seek(group); // not awaited: a client that closes does not wait for replicas
        }
      },
      isWanted: isWaitedFor,
      giveUpAtMs: ({ giveUpAtMs }) => giveUpAtMs,
      giveUp: () => {}, // the timer does it
    });
  }

  start(waiter: Waiter, lease: Lease, replication: Replication): void {
    const { clock } = this.#parts;
    const giveUpAtMs = clock.monotonicMs() + replication.timeoutMs;
    const grant = { waiter, lease, record: lease.record, replication, giveUpAtMs, acknowledged: 0 };
    clock.afterReading(replication.timeoutMs, () => this.#giveUp(grant));
    this.#push(grant);
  }

  async #seek(grants: readonly Grant[]): Promise<void> {
    const { attempts, clock, name } = this.#parts;
    const [{ giveUpAtMs, replication }] = grants as [Grant];
    const isWaited = () => grants.some(isWaitedFor);
    try {
      while (isWaited() && clock.monotonicMs() < giveUpAtMs) {
        const result = await attempts.run(
          async () => {
            const asked = grants.filter(isWaitedFor);
            const sentAtMs = clock.monotonicMs();
            const { reply, acknowledged } = await this.#ask(asked, replication, giveUpAtMs);
            const known = this.#hear(asked, reply, sentAtMs);
            this.#judge(known, await acknowledged);
          },
          // The connection has its own limit of time, and each grant its timer.
          { doing: 'replicate', semaphore: name, giveUpAtMs, attemptMs: 2 ** 30, wanted: isWaited },
        );
        if (result.kind === 'abandoned') {
          return;
        }
        await new Promise<void>((resolve) => clock.after(doubtPauseMs, resolve));
      }
    } catch (error) {
      if (error instanceof RedisUnavailableError) {
        return; // the time is over, and the timer says so
      }
      for (const grant of grants.filter(isWaitedFor)) {
        grant.waiter.fail(error);
      }
    }
  }

  #ask(grants: readonly Grant[], { minReplicas }: Replication, giveUpAtMs: number) {
    const { store, session, keeper, clock } = this.#parts;
    const leases = grants.map(({ lease }) => lease);
    for (const lease of leases) {
      const { bound, serverNowMs } = session;
      keeper.sending(lease, bound.deadlineIfSentNowMs(lease.leaseMs), serverNowMs + lease.leaseMs);
    }
    return store.renewReplicated(session.caller(), leases, minReplicas, giveUpAtMs - clock.monotonicMs());
  }

  /** Returns those that this primary has. */
  #hear(grants: readonly Grant[], reply: Reply<number | Revoked>, sentAtMs: number): Grant[] {
    const { session, keeper } = this.#parts;
    if (reply.kind !== 'ok' || reply.epoch !== session.epoch) {
      // Perhaps an old primary that does not know it yet: the connection on which all else goes has to say.
      this.#events.doubtful();
      return [];
    }
    session.hear(reply, sentAtMs);
    return grants.filter((grant, i) => {
      const { waiter, lease } = grant;
      const expiresAtMs = reply.answers[i] as number | Revoked;
      if (!isWaitedFor(grant)) {
        return false;
      }
      if (expiresAtMs === 'revoked') {
        this.#events.revoked(lease);
        return false;
      }
      if (expiresAtMs > lease.expiresAtMs && lease.isHeld()) {
        keeper.confirm(lease, expiresAtMs, session.bound.deadlineMs(expiresAtMs));
      } else if (expiresAtMs === 0 && lease.isHeld()) {
        this.#events.doubtful();
      } else if (expiresAtMs === 0) {
        this.#events.late(waiter);
      }
      return expiresAtMs > 0;
    });
  }

  #judge(grants: readonly Grant[], acknowledged: number): void {
    for (const grant of grants.filter(isWaitedFor)) {
      const { waiter, lease, replication } = grant;
      grant.acknowledged = acknowledged;
      if (acknowledged < replication.minReplicas) {
        this.#giveUp(grant);
      } else if (lease.isHeld()) {
        this.#events.acknowledged(waiter, lease);
      } else {
        this.#events.late(waiter);
      }
    }
  }

  #giveUp(grant: Grant): void {
    if (isWaitedFor(grant)) {
      const { waiter, acknowledged, replication } = grant;
      const { minReplicas, timeoutMs } = replication;
      waiter.fail(new NotReplicatedError(this.#parts.name, minReplicas, acknowledged, timeoutMs));
    }
  }
}

/** Whether this very grant is still to be handed out. */
function isWaitedFor({ waiter, record }: Grant): boolean {
  return waiter.state === 'granted' && waiter.record === record;
}

/** Those together that wait for the same number of replicas, for the same time. */
function alike(grants: readonly Grant[]): Grant[][] {
  const groups = new Map<string, Grant[]>();
  for (const grant of grants) {
    const { minReplicas, timeoutMs } = grant.replication;
    const key = `${minReplicas} ${timeoutMs}`;
    groups.set(key, [...(groups.get(key) ?? []), grant]);
  }
  return [...groups.values()];
}
