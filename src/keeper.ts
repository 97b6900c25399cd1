import type { Clock, Timer } from './clock.ts';
import type { Lease } from './lease.ts';

/** A timer stands still while the machine is suspended, and the lease does not: so none is set for longer, ms. */
const longestSleepMs = 1_000;

export interface KeeperEvents {
  /** These leases are due for renewal. Each must be answered with `confirm`, `retry` or `lose`. */
  renew(leases: Lease[]): void;
  /** The holder's own deadline has passed. */
  expired(lease: Lease): void;
}

/**
 * Keeps the leases that this client holds of one semaphore: knows when each must be renewed (a third of its lease
 * after it was confirmed) and when it must be given up. One timer serves all; when one lease is due, all are
 * renewed with it, so that they stay in step and cost one call.
 */
export class Keeper {
  readonly #clock: Clock;
  readonly #events: KeeperEvents;
  readonly #leases = new Map<string, Lease>();
  #timer: Timer | undefined;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #renewals = true;

  constructor(clock: Clock, events: KeeperEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  get size(): number {
    return this.#leases.size;
  }

  get(record: string): Lease | undefined {
    return this.#leases.get(record);
  }

  /** A copy, in the order of granting. */
  all(): Lease[] {
    return [...this.#leases.values()];
  }

  add(lease: Lease): void {
    this.#leases.set(lease.record, lease);
    this.#wakeAt(this.#nextOf(lease));
  }

  /** Stops keeping a lease: it is being released, or lost. */
  remove(lease: Lease): void {
    this.#leases.delete(lease.record);
  }

  /** The server has confirmed the lease until `expiresAtMs`. */
  confirm(lease: Lease, expiresAtMs: number, deadlineMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    lease.renewing = false;
    lease.expiresAtMs = expiresAtMs;
    lease.deadlineMs = deadlineMs;
    lease.renewAtMs = nowMs + (deadlineMs - nowMs) / 3;
    this.#wakeAt(this.#nextOf(lease));
  }

  /**
   * A renewal is being sent that may leave the lease shorter than it is: from now on it is relied on for no longer.
   * `expiresAtMs` is the least that it can give, by the server's time.
   */
  sending(lease: Lease, deadlineMs: number, expiresAtMs: number): void {
    if (deadlineMs < lease.deadlineMs) {
      lease.deadlineMs = deadlineMs;
      lease.expiresAtMs = Math.min(lease.expiresAtMs, expiresAtMs);
      this.#wakeAt(this.#nextOf(lease));
    }
  }

  /** The renewal failed: again soon, in a fifth of what is left, but not faster than every 20 ms. */
  retry(lease: Lease): void {
    const nowMs = this.#clock.monotonicMs();
    const pauseMs = Math.min(1000, (lease.deadlineMs - nowMs) / 5) * (0.5 + this.#clock.random());
    lease.renewing = false;
    lease.renewAtMs = nowMs + Math.max(20, pauseMs);
    this.#wakeAt(this.#nextOf(lease));
  }

  /** Nothing is renewed any more; deadlines are still watched. */
  stopRenewals(): void {
    this.#renewals = false;
  }

  #nextOf(lease: Lease): number {
    return this.#isRenewable(lease) ? Math.min(lease.renewAtMs, lease.deadlineMs) : lease.deadlineMs;
  }

  #isRenewable(lease: Lease): boolean {
    return this.#renewals && lease.renew && !lease.renewing && this.#clock.monotonicMs() < lease.renewUntilMs;
  }

  #wakeAt(atMs: number): void {
    if (atMs >= this.#wakeAtMs) {
      return;
    }
    this.#timer?.cancel();
    this.#wakeAtMs = atMs;
    const sleepMs = Math.min(atMs - this.#clock.monotonicMs(), longestSleepMs);
    this.#timer = this.#clock.after(sleepMs, () => this.#wake());
  }

  #wake(): void {
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    this.#timer = undefined;
    let due = false;
    for (const lease of this.all()) {
      if (this.#clock.monotonicMs() >= lease.deadlineMs) {
        this.#events.expired(lease);
      } else if (this.#isRenewable(lease) && lease.renewAtMs <= this.#clock.monotonicMs()) {
        due = true;
      }
    }
    if (due) {
      const leases = this.all().filter((lease) => this.#isRenewable(lease));
      for (const lease of leases) {
        lease.renewing = true;
      }
      this.#events.renew(leases);
    }
    let nextMs = Number.POSITIVE_INFINITY;
    for (const lease of this.#leases.values()) {
      nextMs = Math.min(nextMs, this.#nextOf(lease));
    }
    if (nextMs < Number.POSITIVE_INFINITY) {
      this.#wakeAt(nextMs);
    }
  }
}
