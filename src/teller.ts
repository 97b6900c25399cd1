import type { Clock } from './clock.ts';
import {
  AcquireTimeoutError,
  ParkadeError,
  type ParkadeErrorCode,
  type PermitLostError,
  QueueFullError,
} from './errors.ts';
import { type AcquireFailure, facts, type PermitFact, type RequestFact } from './facts.ts';
import type { Lease } from './lease.ts';
import type { Request } from './waiter.ts';

const start = facts['parkade:acquire:start'];
const queued = facts['parkade:acquire:queued'];
const granted = facts['parkade:acquire:granted'];
const failed = facts['parkade:acquire:failed'];
const renewed = facts['parkade:permit:renewed'];
const renewalFailed = facts['parkade:permit:renewal-failed'];
const released = facts['parkade:permit:released'];
const lost = facts['parkade:permit:lost'];
const left = facts['parkade:permit:left'];
const restored = facts['parkade:semaphore:restored'];

/** Tells the facts of one semaphore of one client. While nobody listens to a channel it looks, and makes nothing. */
export class Teller {
  readonly #semaphore: string;
  readonly #client: string;
  readonly #clock: Clock;
  readonly #limit: () => number;

  constructor(semaphore: string, client: string, clock: Clock, limit: () => number) {
    this.#semaphore = semaphore;
    this.#client = client;
    this.#clock = clock;
    this.#limit = limit;
  }

  /** The request itself, or, if anybody listens to what becomes of requests, one that tells as well. */
  request(request: Request): Request {
    const isHeard =
      start.hasSubscribers || granted.hasSubscribers || failed.hasSubscribers || queued.hasSubscribers;
    return isHeard ? this.#told(request) : request;
  }

  renewed(lease: Lease): void {
    if (renewed.hasSubscribers) {
      const expiresInMs = Math.max(0, lease.deadlineMs - this.#clock.monotonicMs());
      renewed.publish({ permit: this.#permit(lease), expiresInMs });
    }
  }

  renewalFailed(lease: Lease, error: unknown): void {
    if (renewalFailed.hasSubscribers) {
      renewalFailed.publish({ permit: this.#permit(lease), error });
    }
  }

  released(lease: Lease): void {
    if (released.hasSubscribers) {
      released.publish({ permit: this.#permit(lease), holdMs: this.#holdMs(lease) });
    }
  }

  lost(lease: Lease, error: PermitLostError): void {
    if (lost.hasSubscribers) {
      lost.publish({ permit: this.#permit(lease), holdMs: this.#holdMs(lease), error });
    }
  }

  left(lease: Lease): void {
    if (left.hasSubscribers) {
      left.publish({ permit: this.#permit(lease), holdMs: this.#holdMs(lease) });
    }
  }

  restored(permits: number, waiters: number): void {
    if (restored.hasSubscribers) {
      restored.publish({ semaphore: this.#semaphore, client: this.#client, permits, waiters });
    }
  }

  #told(request: Request): Request {
    const { weight, timeoutMs } = request;
    const fact: RequestFact = { semaphore: this.#semaphore, client: this.#client, weight, timeoutMs };
    const startMs = this.#clock.monotonicMs();
    const waitMs = () => this.#clock.monotonicMs() - startMs;
    if (start.hasSubscribers) {
      start.publish({ request: fact });
    }
    return {
      ...request,
      queued: () => {
        if (queued.hasSubscribers) {
          queued.publish({ request: fact, limit: this.#limit() });
        }
      },
      granted: (lease, waited) => {
        if (granted.hasSubscribers) {
          const permit = this.#permit(lease);
          granted.publish({ request: fact, permit, waitMs: waitMs(), limit: this.#limit() });
        }
        request.granted(lease, waited);
      },
      failed: (error) => {
        if (failed.hasSubscribers) {
          failed.publish({ request: fact, waitMs: waitMs(), outcome: outcomeOf(error, request), error });
        }
        request.failed(error);
      },
    };
  }

  #holdMs(lease: Lease): number {
    return this.#clock.monotonicMs() - lease.grantedAtMs;
  }

  #permit(lease: Lease): PermitFact {
    lease.fact ??= {
      semaphore: this.#semaphore,
      client: this.#client,
      id: lease.record,
      weight: lease.weight,
      fencingToken: lease.token,
    };
    return lease.fact;
  }
}

const outcomes: Readonly<Record<ParkadeErrorCode, AcquireFailure>> = {
  ACQUIRE_TIMEOUT: 'timeout',
  ACQUIRE_REVOKED: 'revoked',
  QUEUE_FULL: 'queue_full',
  WEIGHT_EXCEEDS_LIMIT: 'weight_exceeds_limit',
  LIMIT_MISMATCH: 'limit_mismatch',
  NOT_REPLICATED: 'not_replicated',
  CLIENT_CLOSED: 'client_closed',
  REDIS_UNAVAILABLE: 'redis_unavailable',
  REDIS_REFUSED: 'redis_refused',
  UNSUPPORTED_SERVER: 'unsupported_server',
  INVALID_OPTIONS: 'other',
  PERMIT_NOT_HELD: 'other',
  PERMIT_LOST: 'other',
};

function outcomeOf(error: unknown, { timeoutMs, signal }: Request): AcquireFailure {
  if (signal?.aborted && error === signal.reason) {
    return 'aborted';
  }
  if (timeoutMs === 0 && (error instanceof QueueFullError || error instanceof AcquireTimeoutError)) {
    return 'busy';
  }
  return error instanceof ParkadeError ? outcomes[error.code] : 'other';
}
