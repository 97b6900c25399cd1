import { onAbort } from './abort-signals.ts';
import type { Clock, Timer } from './clock.ts';
import { AcquireTimeoutError } from './errors.ts';
import type { Lease, Upkeep } from './lease.ts';
import type { Declaration } from './options.ts';

/** So many replicas, within so many ms. */
export interface Replication {
  readonly minReplicas: number;
  readonly timeoutMs: number;
}

/** What one acquire asks for, and who hears of it. Exactly one of `granted` and `failed` is called, once. */
export interface Request {
  /** What the handle declares that it comes from. */
  readonly declaration: Declaration;
  readonly weight: number;
  readonly upkeep: Upkeep;
  /** The longest line it may join: -1 for any, 0 for a try. */
  readonly maxWaiting: number;
  /** Give up after, ms; `undefined` for never. */
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Who must have acknowledged a grant before it is handed out; `undefined` for nobody but the primary. */
  readonly replication: Replication | undefined;
  /** It has got a place in line, for the first time. */
  readonly queued?: () => void;
  /** @param waited whether it was in line */
  granted(lease: Lease, waited: boolean): void;
  failed(reason: unknown): void;
}

/** Where a request stands. Only the last is final. */
export type WaiterState =
  /** To be sent, or sent and not answered. */
  | 'asking'
  /** In line; `ticket` is its place. */
  | 'queued'
  /** Granted: the keeper has its lease. Not handed out before its replicas have acknowledged it. */
  | 'granted'
  /** Handed out, or failed. */
  | 'settled';

/**
 * A request of this client from asking to its end. It is settled once; a time-out or an abort ends it at once,
 * wherever it stands, and `abandoned` is then called to undo in Redis what may have been done.
 */
export class Waiter {
  readonly request: Request;
  /** Its name in Redis; a new one when it has to be asked again. */
  record: string;
  state: WaiterState = 'asking';
  ticket = 0;
  /** Server time at which Redis last said that it is in line. */
  queuedAtMs = 0;
  /** Whether its present record may be known to Redis. */
  sent = false;
  /** Whether it has ever been in line. */
  accepted = false;
  /** Until when it may wait to be heard by Redis, monotonic; once in line it outlasts any outage. */
  giveUpAtMs: number;

  readonly #abandoned: (waiter: Waiter) => void;
  readonly #timer: Timer | undefined;
  readonly #forgetSignal: (() => void) | undefined;

  constructor(
    request: Request,
    record: string,
    giveUpAtMs: number,
    semaphore: string,
    clock: Clock,
    abandoned: (waiter: Waiter) => void,
  ) {
    this.request = request;
    this.record = record;
    this.giveUpAtMs = giveUpAtMs;
    this.#abandoned = abandoned;
    const { timeoutMs, signal } = request;
    if (timeoutMs !== undefined && timeoutMs > 0) {
      this.#timer = clock.after(timeoutMs, () =>
        this.fail(new AcquireTimeoutError(semaphore, timeoutMs, this.#obstacle())),
      );
    }
    if (signal !== undefined) {
      this.#forgetSignal = onAbort(signal, () => this.fail(signal.reason));
    }
  }

  /** Redis has it in line. */
  queue(ticket: number, nowMs: number): void {
    const isFirst = !this.accepted;
    this.state = 'queued';
    this.accepted = true;
    this.giveUpAtMs = Number.POSITIVE_INFINITY;
    this.ticket = ticket;
    this.queuedAtMs = nowMs;
    if (isFirst) {
      this.request.queued?.();
    }
  }

  /** Ends it with a permit. */
  handOut(lease: Lease): void {
    if (this.#settle()) {
      this.request.granted(lease, this.accepted);
    }
  }

  /** Ends it without one. */
  fail(reason: unknown): void {
    if (this.#settle()) {
      this.#abandoned(this);
      this.request.failed(reason);
    }
  }

  /** What it still waits for. */
  #obstacle(): string {
    if (this.state === 'granted') {
      return 'one was granted, but too few replicas have acknowledged it';
    }
    return this.accepted ? 'the semaphore is in use' : 'Redis has not answered yet';
  }

  #settle(): boolean {
    if (this.state === 'settled') {
      return false;
    }
    this.state = 'settled';
    this.#timer?.cancel();
    this.#forgetSignal?.();
    return true;
  }
}
