import type { Clock } from './clock.ts';
import type { PermitLostError } from './errors.ts';
import type { PermitFact } from './facts.ts';

/** How a permit is kept, as its acquire said. */
export interface Upkeep {
  readonly leaseMs: number;
  readonly renew: boolean;
  /** For how long it is renewed, ms; `Infinity` for as long as it is held. */
  readonly maxHoldMs: number;
}

/** What became of a permit, from its holder's point of view. */
export type LeaseState = 'held' | 'releasing' | 'released' | 'lost';

/**
 * One permit as its holder knows it: what was granted, until when it can be relied on, and what became of it.
 * Only the keeper and the engine change it.
 */
export class Lease {
  readonly record: string;
  readonly weight: number;
  readonly token: number;
  /** The lease that it was acquired with, ms. */
  readonly acquiredLeaseMs: number;
  /** The lease that renewals give, ms. */
  leaseMs: number;
  readonly renew: boolean;
  /** Monotonic. */
  readonly grantedAtMs: number;
  /** Monotonic time after which it is not renewed any more. */
  readonly renewUntilMs: number;

  /** The holder's own deadline, monotonic; never later than the expiry on the server. */
  deadlineMs: number;
  /** The expiry that the server last confirmed, by its clock. */
  expiresAtMs: number;
  /** When the next renewal is due, monotonic. */
  renewAtMs: number;
  /** A renewal is on its way. */
  renewing = false;
  state: LeaseState = 'held';
  /** A release was sent whose outcome is not known. */
  releaseUnconfirmed = false;
  /** Why it was lost, once it is. */
  lostError: PermitLostError | undefined;
  /** What is told of it, once something was. */
  fact: PermitFact | undefined;

  /** Called once, when it is being released or is lost. */
  onEnd: ((lease: Lease) => void) | undefined;

  readonly #clock: Clock;
  readonly #expire: (lease: Lease) => void;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(
    grant: {
      readonly record: string;
      readonly weight: number;
      readonly token: number;
      readonly expiresAtMs: number;
    },
    upkeep: Upkeep,
    deadlineMs: number,
    clock: Clock,
    expire: (lease: Lease) => void,
  ) {
    this.record = grant.record;
    this.weight = grant.weight;
    this.token = grant.token;
    this.expiresAtMs = grant.expiresAtMs;
    this.acquiredLeaseMs = upkeep.leaseMs;
    this.leaseMs = upkeep.leaseMs;
    this.renew = upkeep.renew;
    this.deadlineMs = deadlineMs;
    this.#clock = clock;
    this.#expire = expire;
    const nowMs = clock.monotonicMs();
    this.grantedAtMs = nowMs;
    this.renewUntilMs = nowMs + upkeep.maxHoldMs;
    this.renewAtMs = nowMs + (deadlineMs - nowMs) / 3;
  }

  /** Whether the permit can be relied on at this moment. A deadline that nobody noticed is noticed here. */
  isHeld(): boolean {
    if (this.state === 'held' && this.#clock.monotonicMs() >= this.deadlineMs) {
      this.#expire(this);
    }
    return this.state === 'held';
  }

  /** How long it can still be relied on, in ms, if it is not renewed; 0 when it is not held. */
  remainingMs(): number {
    return this.isHeld() ? Math.max(0, this.deadlineMs - this.#clock.monotonicMs()) : 0;
  }

  /** Aborts when the permit is lost. Made when first asked for. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) {
        this.#controller.abort(this.#aborted.reason);
      }
    }
    return this.#controller.signal;
  }

  /** It is not held any more. */
  end(state: 'releasing' | 'lost'): void {
    this.state = state;
    this.onEnd?.(this);
  }

  /** Tells whoever watches the signal to stop, now or later. */
  abort(reason: unknown): void {
    this.#aborted ??= { reason };
    this.#controller?.abort(reason);
  }
}
