import type { Waiter } from './waiter.ts';

/** This client's own waiters for one semaphore, by record. */
export class Line {
  readonly #waiters = new Map<string, Waiter>();
  #shortestLeaseMs = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#waiters.size;
  }

  get(record: string): Waiter | undefined {
    return this.#waiters.get(record);
  }

  add(waiter: Waiter): void {
    this.#waiters.set(waiter.record, waiter);
    this.#shortestLeaseMs = Math.min(this.#shortestLeaseMs, waiter.request.upkeep.leaseMs);
  }

  remove(waiter: Waiter): void {
    this.#waiters.delete(waiter.record);
    if (this.#waiters.size === 0) {
      this.#shortestLeaseMs = Number.POSITIVE_INFINITY;
    }
  }

  /** Gives a waiter another record. */
  rename(waiter: Waiter, record: string): void {
    this.#waiters.delete(waiter.record);
    waiter.record = record;
    this.#waiters.set(record, waiter);
  }

  /** A copy, in the order of asking. */
  all(): Waiter[] {
    return [...this.#waiters.values()];
  }

  /** Those that Redis has in line, by ticket. */
  queued(): Waiter[] {
    return this.all()
      .filter((waiter) => waiter.state === 'queued')
      .sort((a, b) => a.ticket - b.ticket);
  }

  /** The one in line with the lowest ticket. */
  first(): Waiter | undefined {
    let first: Waiter | undefined;
    for (const waiter of this.#waiters.values()) {
      if (waiter.state === 'queued' && (first === undefined || waiter.ticket < first.ticket)) {
        first = waiter;
      }
    }
    return first;
  }

  /** The shortest lease asked for since the line was last empty, ms; `Infinity` when it is. */
  shortestLeaseMs(): number {
    return this.#shortestLeaseMs;
  }
}
