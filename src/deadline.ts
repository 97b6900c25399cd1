import type { Clock } from './clock.ts';

/** How far two clocks that run freely may drift apart. Crystals stay within 0.01 %; this allows ten times that. */
const drift = 0.001;
/** For the rounding of server times to whole ms, and for the way from a check of the deadline to its use. */
const marginMs = 5;

/**
 * The most by which the server's clock can be ahead of ours.
 *
 * A reply with server time s, to a call that was sent at our monotonic time m, was made at m or later. So the
 * server's clock is ahead by s − m at most, and what expires there at E is still valid here at m + (E − s). The
 * same bound serves for grants that come by message, without a call of their own. It ages, since clocks drift.
 */
export class ServerClockBound {
  readonly #clock: Clock;
  #aheadMs = Number.POSITIVE_INFINITY;
  #takenAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Learns from a reply that has just come. */
  observe(serverNowMs: number, sentAtMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    const aheadMs = serverNowMs - sentAtMs;
    const bestMs = this.#aheadMs + this.#ageMs(nowMs) * drift;
    const atLeastMs = serverNowMs - nowMs;
    // Below what is possible: the server's clock was set forward, or it is another server.
    if (aheadMs <= bestMs || bestMs < atLeastMs) {
      this.#aheadMs = aheadMs;
      this.#takenAtMs = nowMs;
    }
  }

  /** Whether a message with this server time can have been sent by the clock that we know: else it was set forward since. */
  allows(serverNowMs: number): boolean {
    const nowMs = this.#clock.monotonicMs();
    return serverNowMs - nowMs <= this.#aheadMs + this.#ageMs(nowMs) * drift;
  }

  /** Forgets everything: other data, perhaps on another server. */
  reset(): void {
    this.#aheadMs = Number.POSITIVE_INFINITY;
  }

  get isKnown(): boolean {
    return Number.isFinite(this.#aheadMs);
  }

  /**
   * By when a permit that expires at the server's time `expiresAtMs` must not be relied on any more, monotonic: never
   * later than its expiry on the server.
   */
  deadlineMs(expiresAtMs: number): number {
    const nowMs = this.#clock.monotonicMs();
    const endMs = expiresAtMs - this.#aheadMs;
    const uncertainMs = Math.max(0, endMs - nowMs) + this.#ageMs(nowMs);
    return endMs - marginMs - uncertainMs * drift;
  }

  /** The same for a lease that a call gives which is sent now, as long as it was not answered. */
  deadlineIfSentNowMs(leaseMs: number): number {
    return this.#clock.monotonicMs() + leaseMs - marginMs - leaseMs * drift;
  }

  #ageMs(nowMs: number): number {
    return Number.isFinite(this.#aheadMs) ? nowMs - this.#takenAtMs : 0;
  }
}
