import type { Lease } from './lease.ts';

/** What a permit's handle can do with it. */
export interface PermitActions {
  release(lease: Lease): Promise<boolean>;
  /** The release at the end of a scope, which must not fail for what is over anyway. */
  dispose(lease: Lease): Promise<void>;
  renew(lease: Lease, leaseMs: number | undefined): Promise<void>;
}

/**
 * A permit that was granted: `weight` units of a semaphore, held under a lease until it is released or lost.
 *
 * @example
 * ```ts
 * await using permit = await semaphore.acquire();
 * await fetch(url, { signal: permit.signal });
 * ```
 */
export class Permit {
  readonly #lease: Lease;
  readonly #actions: PermitActions;

  /** @internal */
  constructor(lease: Lease, actions: PermitActions) {
    this.#lease = lease;
    this.#actions = actions;
  }

  /**
   * The permit's name in Redis, `clientId/requestNo/weight/leaseMs`: what `release` of this client takes, and `revoke` in any
   * process.
   */
  get id(): string {
    return this.#lease.record;
  }

  /** How many units it holds. */
  get weight(): number {
    return this.#lease.weight;
  }

  /**
   * An integer that rises with every grant of this semaphore, over all processes and losses of data. Where one holds at
   * a time, hand it to what the semaphore guards and have it refuse anything lower than the highest it has seen: that
   * stops a holder which was paused past its lease and does not know it yet. Where several hold at once, a lower one is no
   * sign of being late.
   */
  get fencingToken(): number {
    return this.#lease.token;
  }

  /** For how many ms the permit can still be relied on if it is not renewed; 0 when it is not held any more. */
  get expiresInMs(): number {
    return this.#lease.remainingMs();
  }

  /** Whether the permit can be relied on, compared with the clocks at the moment of asking. */
  get isHeld(): boolean {
    return this.#lease.isHeld();
  }

  /**
   * Aborts, with `PermitLostError` as reason, when the lease ends before the permit is released: before the server
   * may grant its units to somebody else, as long as the event loop runs and clocks are not set.
   */
  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  /**
   * Gives the permit back; the next in line is served in the same step.
   *
   * Resolves `true` if it was held. If it was not (released before, or lost), a plain semaphore resolves `false` and
   * a bounded one rejects with `PermitNotHeldError`; nothing changes.
   *
   * Rejects with `RedisUnavailableError`, `RedisRefusedError` or `ClientClosedError` if it could not be said to Redis. The
   * permit is not renewed any more then, so it ends with its lease at the latest; `release` can be called again.
   */
  release(): Promise<boolean> {
    return this.#actions.release(this.#lease);
  }

  /**
   * Renews the lease now, for `leaseMs` (an integer ≥ 100) from now on; so do the renewals that follow by themselves.
   * Without it, for what the permit was acquired with.
   *
   * Rejects with `PermitLostError` when the permit is not held any more, lost or released, with `InvalidOptionsError` for a
   * bad `leaseMs`, and with `RedisUnavailableError`, `RedisRefusedError` or `ClientClosedError` if Redis could not be asked;
   * the lease runs on then as it was, but is relied on for no longer than was asked for.
   */
  renew(leaseMs?: number): Promise<void> {
    return this.#actions.renew(this.#lease, leaseMs);
  }

  /** Releases the permit if it is still held. Never rejects: what goes wrong is an `error` event of the client. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#actions.dispose(this.#lease);
  }
}
