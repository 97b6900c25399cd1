import type { Clock } from './clock.ts';
import { ClientClosedError, ParkadeError, RedisRefusedError, RedisUnavailableError } from './errors.ts';

/** Of the connection, what a call needs to know. */
export interface Link {
  readonly address: string;
  isReady(): boolean;
  /** Whether a call was rejected by Redis itself. */
  isReply(error: unknown): boolean;
  /** Why it is not ready, if it said so. */
  lastError(): Error | undefined;
  /** A call was not answered for so long, ms: the connection may be dead without knowing it. */
  suspect(forMs: number): void;
}

export interface AttemptLimits {
  /** What is being done, for the error's message: "could not …". */
  readonly doing: string;
  /** Which it is about, if it is about one. */
  readonly semaphore: string | undefined;
  /** Monotonic time after which no further attempt is made; `Infinity` for never. */
  readonly giveUpAtMs: number;
  /** How long one attempt may take, ms, where that is not for `Attempts` to say. */
  readonly attemptMs?: number;
  /** Asked before each further attempt; on `false` the call ends as `abandoned`. */
  wanted?(): boolean;
}

export type AttemptResult<T> =
  | {
      readonly kind: 'answered';
      readonly value: T;
      /** When the answered attempt was sent, monotonic. */
      readonly sentAtMs: number;
      /** An earlier copy may have been executed: by an attempt before, or re-sent by the connection itself. */
      readonly repeated: boolean;
    }
  | { readonly kind: 'abandoned' };

/**
 * Makes calls until they are answered: each attempt has a timer of its own, since a promise of a connection may
 * never settle; failures that pass are tried again, ever more slowly and never all at the same moment. While the
 * connection is away nothing is sent, so nothing piles up; when it is back, the calls go on in their order.
 */
export class Attempts {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #attemptTimeoutMs: number;
  readonly #unavailableAfterMs: number;
  readonly #longestPauseMs: number;
  readonly #paused = new Set<() => void>();
  #connects = 0;
  /** When the first was sent of all that are not answered since, monotonic. */
  #silentSinceMs: number | undefined;
  #closed = false;

  /** @param longestPauseMs the longest pause between two attempts that fail while the connection is there */
  constructor(
    link: Link,
    clock: Clock,
    attemptTimeoutMs: number,
    unavailableAfterMs: number,
    longestPauseMs = 1_000,
  ) {
    this.#link = link;
    this.#clock = clock;
    this.#attemptTimeoutMs = attemptTimeoutMs;
    this.#unavailableAfterMs = unavailableAfterMs;
    this.#longestPauseMs = longestPauseMs;
  }

  isReady(): boolean {
    return this.#link.isReady();
  }

  /** When a call that is made now should give up, monotonic. */
  giveUpAtMs(): number {
    return this.#clock.monotonicMs() + this.#unavailableAfterMs;
  }

  /** The connection is there, for the first time or again. */
  connected(): void {
    this.#connects++;
    this.#silentSinceMs = undefined;
    this.#resumeAll();
  }

  /** No further attempt is made: calls under way reject with `ClientClosedError` when their attempt fails. */
  close(): void {
    this.#closed = true;
    this.#resumeAll();
  }

  /**
   * @throws RedisUnavailableError when the time to give up has come
   * @throws RedisRefusedError when Redis answers with an error that will not pass
   * @throws ClientClosedError after `close()`
   */
  async run<T>(send: () => Promise<T>, limits: AttemptLimits): Promise<AttemptResult<T>> {
    let cause: unknown;
    let sent = 0;
    for (let rounds = 0; ; rounds++) {
      if (rounds > 0 && limits.wanted?.() === false) {
        return { kind: 'abandoned' };
      }
      if (this.#closed) {
        throw new ClientClosedError(limits.semaphore);
      }
      const isFirst = sent === 0 && this.#link.isReady();
      if (!isFirst && this.#clock.monotonicMs() >= limits.giveUpAtMs) {
        throw this.unavailable(limits.doing, limits.semaphore, cause);
      }
      if (this.#link.isReady()) {
        const sentAtMs = this.#clock.monotonicMs();
        const connects = this.#connects;
        this.#silentSinceMs ??= sentAtMs;
        sent++;
        try {
          const value = await this.#attempt(
            send,
            limits.attemptMs ?? this.#attemptMs(limits.giveUpAtMs - sentAtMs),
          );
          this.#silentSinceMs = undefined;
          const repeated = sent > 1 || this.#connects !== connects;
          return { kind: 'answered', value, sentAtMs, repeated };
        } catch (error) {
          if (error instanceof ParkadeError) {
            throw error;
          }
          if (!willPass(error, this.#link)) {
            throw new RedisRefusedError(limits.doing, limits.semaphore, error as Error);
          }
          cause = error;
          if (error instanceof AttemptTimeout) {
            this.#suspect();
          }
        }
      }
      await this.#pause(Math.min(this.#backoffMs(rounds), limits.giveUpAtMs - this.#clock.monotonicMs()));
    }
  }

  unavailable(doing: string, semaphore: string | undefined, cause?: unknown): RedisUnavailableError {
    const { address } = this.#link;
    const why = this.#link.lastError() ?? cause;
    return new RedisUnavailableError(doing, address, this.#unavailableAfterMs, semaphore, why);
  }

  /** One call without a reply is a slow server; none at all for the time of a whole attempt, perhaps no server. */
  #suspect(): void {
    const silentMs = this.#clock.monotonicMs() - (this.#silentSinceMs ?? Number.POSITIVE_INFINITY);
    if (silentMs >= this.#attemptTimeoutMs) {
      this.#silentSinceMs = undefined;
      this.#link.suspect(silentMs);
    }
  }

  /** Short enough for some more attempts before the time to give up: the end of a lease may be near. */
  #attemptMs(leftMs: number): number {
    return Math.min(this.#attemptTimeoutMs, Math.max(leastAttemptMs, leftMs / 3));
  }

  #attempt<T>(send: () => Promise<T>, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.afterReading(timeoutMs, () =>
        reject(new AttemptTimeout(`no reply within ${Math.round(timeoutMs)} ms`)),
      );
      send().then(
        (value) => {
          timer.cancel();
          resolve(value);
        },
        (error) => {
          timer.cancel();
          reject(error);
        },
      );
    });
  }

  #backoffMs(rounds: number): number {
    return Math.min(this.#longestPauseMs, 20 * 2 ** Math.min(rounds, 6)) * (0.5 + this.#clock.random() / 2);
  }

  /** Waits for a time, or until the connection is back. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const resume = () => {
        timer.cancel();
        this.#paused.delete(resume);
        resolve();
      };
      const timer = this.#clock.after(ms, resume);
      this.#paused.add(resume);
    });
  }

  #resumeAll(): void {
    for (const resume of [...this.#paused]) {
      resume();
    }
  }
}

/** No attempt is given less time than this. */
const leastAttemptMs = 50;

class AttemptTimeout extends Error {}

/**
 * Errors that pass: of the connection (it comes back), and of a server that starts, fails over, moves slots or runs
 * a slow script. Everything else Redis means.
 */
function willPass(error: unknown, link: Link): boolean {
  if (error instanceof AttemptTimeout || !(error instanceof Error)) {
    return true;
  }
  if (!link.isReply(error)) {
    return true;
  }
  return /\b(LOADING|READONLY|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|NOREPLICAS|BUSY|UNBLOCKED|MOVED|ASK)\b/.test(
    error.message,
  );
}
