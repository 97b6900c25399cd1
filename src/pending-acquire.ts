import { AcquireTimeoutError, QueueFullError } from './errors.ts';
import type { KeepAlive } from './keep-alive.ts';
import type { Lease, Upkeep } from './lease.ts';
import type { Declaration } from './options.ts';
import type { AcquireSettings } from './settings.ts';
import type { Replication, Request } from './waiter.ts';

/** What all requests of one handle share. */
export interface Asker {
  readonly name: string;
  readonly declaration: Declaration;
  /** Where the request doesn't say otherwise. */
  readonly upkeep: Upkeep;
  readonly maxWaiting: number;
  readonly replication: Replication | undefined;
  readonly keepAlive: KeepAlive;
  /** The handle holds it from now on. */
  hold(lease: Lease): void;
}

/** What the caller gets for a lease. */
export type HandleOf<P> = (lease: Lease, waited: boolean) => P;

/**
 * The request of one acquire, which settles the promise that its caller waits for. Nothing is made for it alone that
 * can be shared: a hundred thousand of them may wait at once.
 */
export class PendingAcquire<P> implements Request {
  readonly declaration: Declaration;
  readonly weight: number;
  readonly upkeep: Upkeep;
  readonly maxWaiting: number;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly replication: Replication | undefined;
  readonly #asker: Asker;
  readonly #handleOf: HandleOf<P>;
  readonly #resolve: (handle: P) => void;
  readonly #reject: (reason: unknown) => void;

  constructor(
    asker: Asker,
    { weight = 1, leaseMs, renew, timeoutMs, signal }: AcquireSettings,
    handleOf: HandleOf<P>,
    resolve: (handle: P) => void,
    reject: (reason: unknown) => void,
  ) {
    const { upkeep } = asker;
    this.declaration = asker.declaration;
    this.weight = weight;
    this.upkeep =
      leaseMs === undefined && renew === undefined
        ? upkeep
        : { ...upkeep, leaseMs: leaseMs ?? upkeep.leaseMs, renew: renew ?? upkeep.renew };
    this.maxWaiting = timeoutMs === 0 ? 0 : asker.maxWaiting;
    this.timeoutMs = timeoutMs;
    this.signal = signal;
    this.replication = asker.replication;
    this.#asker = asker;
    this.#handleOf = handleOf;
    this.#resolve = resolve;
    this.#reject = reject;
    asker.keepAlive.enter();
  }

  granted(lease: Lease, waited: boolean): void {
    this.#asker.keepAlive.leave();
    this.#asker.hold(lease);
    this.#resolve(this.#handleOf(lease, waited));
  }

  failed(reason: unknown): void {
    this.#asker.keepAlive.leave();
    const isBusy = this.timeoutMs === 0 && reason instanceof QueueFullError;
    this.#reject(isBusy ? new AcquireTimeoutError(this.#asker.name, 0) : reason);
  }
}
