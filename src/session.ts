import type { Attempts } from './attempts.ts';
import type { Clock } from './clock.ts';
import { ServerClockBound } from './deadline.ts';
import type { Caller, Grant, Reply } from './redis/store.ts';

/** A reply that says more than `forgotten`, and how it came. */
export type Heard<Answer> =
  | {
      readonly kind: 'ok';
      /** The server's time. */
      readonly nowMs: number;
      readonly answers: readonly Answer[];
      /** An earlier copy of the call may have been executed. */
      readonly repeated: boolean;
    }
  | { readonly kind: 'mismatch'; readonly declaredLimit: number }
  | { readonly kind: 'abandoned' };

export interface SessionEvents {
  /** Own waiters were served, or refused with token 0, while a call was executed. */
  grants(grants: readonly Grant[]): void;
  /** Look again in so many ms. */
  lookIn(ms: number): void;
  /** Redis has lost what it knew. Resolves when everything was put back. */
  recover(): Promise<void>;
}

export interface SessionOptions {
  readonly name: string;
  readonly limit: number;
  readonly retentionMs: number;
}

/**
 * What this client knows of a semaphore's data in Redis, learnt from every reply: which epoch it is, the highest
 * number seen, the limit in force, how far the server's clock is ahead. Every call goes through here and says what
 * is known; a call that meets other data than it knows waits until everything was put back, and is made again.
 */
export class Session {
  readonly #attempts: Attempts;
  readonly #clock: Clock;
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  readonly bound: ServerClockBound;
  #bounded = false;
  #epoch = 0;
  #terms = 0;
  #seen = 0;
  #serverNowMs = 0;
  #limit: number;
  #declaredLimit: number;
  /** When the call that was last answered was sent, monotonic. */
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #recovery: Promise<void> | undefined;

  constructor(attempts: Attempts, clock: Clock, options: SessionOptions, events: SessionEvents) {
    this.#attempts = attempts;
    this.#clock = clock;
    this.#options = options;
    this.#events = events;
    this.#limit = options.limit;
    this.#declaredLimit = options.limit;
    this.bound = new ServerClockBound(clock);
  }

  /** 0 before the first reply. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The limit in force, as far as this client has heard. */
  get limit(): number {
    return this.#limit;
  }

  /** The server's time of the last reply, ms. */
  get serverNowMs(): number {
    return this.#serverNowMs;
  }

  get isRecovering(): boolean {
    return this.#recovery !== undefined;
  }

  /** Somebody in this client made a bounded handle, which Redis hears of with the next call. */
  setBounded(): void {
    this.#bounded = true;
    this.#terms = 0;
  }

  /** What a call says of this client. */
  caller(): Caller {
    return {
      epoch: this.#epoch,
      terms: this.#terms,
      seen: this.#seen,
      limit: this.#declaredLimit,
      limitInForce: this.#limit,
      bounded: this.#bounded,
    };
  }

  /**
   * Makes a call until it is answered by the data that this client knows. `send` is asked anew for each attempt.
   *
   * @throws what `Attempts.run` throws
   */
  async call<Answer>(
    doing: string,
    giveUpAtMs: number,
    send: (caller: Caller) => Promise<Reply<Answer>>,
    wanted?: () => boolean,
  ): Promise<Heard<Answer>> {
    const limits = { doing, semaphore: this.#options.name, giveUpAtMs, ...(wanted && { wanted }) };
    let repeated = false;
    for (;;) {
      if (this.#recovery !== undefined) {
        await this.#recovered(doing, giveUpAtMs);
      }
      let sentEpoch = 0;
      const result = await this.#attempts.run(() => {
        const caller = this.caller();
        sentEpoch = caller.epoch;
        return send(caller);
      }, limits);
      if (result.kind === 'abandoned') {
        return result;
      }
      repeated ||= result.repeated;
      const reply = result.value;
      if (reply.kind === 'mismatch') {
        return reply;
      }
      if (reply.kind === 'ok' && (this.#epoch === 0 || this.#epoch === reply.epoch)) {
        this.hear(reply, result.sentAtMs);
        return { kind: 'ok', nowMs: reply.nowMs, answers: reply.answers, repeated };
      }
      // What was executed in other data is as good as not executed, or may have been lost after it was. A reply to
      // what was sent before a recovery says nothing of the data after it.
      repeated = true;
      if (sentEpoch === this.#epoch) {
        await this.recover();
      }
    }
  }

  /** Takes in what every good reply says. */
  hear(reply: Reply<unknown> & { kind: 'ok' }, sentAtMs: number): void {
    if (reply.epoch !== this.#epoch) {
      this.#epoch = reply.epoch;
      this.bound.reset();
    }
    this.#terms = reply.terms;
    this.#heardAtMs = sentAtMs;
    this.#serverNowMs = reply.nowMs;
    this.#limit = reply.limit;
    this.#declaredLimit = reply.declaredLimit;
    this.see(reply.epoch);
    this.bound.observe(reply.nowMs, sentAtMs);
    if (reply.grants.length > 0) {
      this.#events.grants(reply.grants);
    }
    if (reply.lookAtMs > 0) {
      this.#events.lookIn(reply.lookAtMs - reply.nowMs);
    }
  }

  /** Remembers the highest number, so that those to come are higher even if Redis forgets. */
  see(number: number): void {
    this.#seen = Math.max(this.#seen, number);
  }

  /** The limit in force, told by a message: of which terms is not said. */
  hearLimit(limit: number): void {
    if (limit !== this.#limit) {
      this.#terms = 0;
    }
    this.#limit = limit;
  }

  /** Puts everything back; all calls wait for it. One at a time: a second caller waits for the first. */
  recover(): Promise<void> {
    this.#recovery ??= this.#events.recover().finally(() => {
      this.#recovery = undefined;
    });
    return this.#recovery;
  }

  /** Nothing of this epoch matters to anyone any more: start from none. */
  forget(): void {
    this.#epoch = 0;
    this.#terms = 0;
    this.bound.reset();
  }

  /**
   * Whether the data that we know may have gone because nobody used it for so long. Who knows none and is told
   * `forgotten` has met torn data, which somebody has to mend.
   */
  isStale(): boolean {
    return this.#epoch !== 0 && this.#clock.monotonicMs() - this.#heardAtMs > this.#options.retentionMs;
  }

  /** Waits for the recovery, but not past the time to give up. */
  async #recovered(doing: string, giveUpAtMs: number): Promise<void> {
    const leftMs = giveUpAtMs - this.#clock.monotonicMs();
    if (!Number.isFinite(leftMs)) {
      await this.#recovery;
      return;
    }
    let timer: { cancel(): void } | undefined;
    const tooLong = new Promise<boolean>((resolve) => {
      timer = this.#clock.after(leftMs, () => resolve(true));
    });
    const late = await Promise.race([this.#recovery, tooLong]);
    timer?.cancel();
    if (late === true) {
      throw this.#attempts.unavailable(doing, this.#options.name);
    }
  }
}
