import type { Attempts } from './attempts.ts';
import { concurrentMap, type Taken } from './concurrent-map.ts';
import type { Engine } from './engine.ts';
import { AcquireTimeoutError, InvalidOptionsError } from './errors.ts';
import { inspect, type SemaphoreSnapshot } from './inspector.ts';
import type { KeepAlive } from './keep-alive.ts';
import type { Lease } from './lease.ts';
import type { AcquireOptions, InspectOptions, TryAcquireOptions } from './options.ts';
import { type Asker, type HandleOf, PendingAcquire } from './pending-acquire.ts';
import { Permit, type PermitActions } from './permit.ts';
import {
  type AcquireSettings,
  parseAcquireOptions,
  parseInspectOptions,
  parseLeaseMs,
  parseLimit,
  parseTryAcquireOptions,
  type SemaphoreSettings,
} from './settings.ts';

/** @internal What a handle is made of. */
export interface SemaphoreParts {
  readonly name: string;
  readonly settings: SemaphoreSettings;
  readonly engine: Engine;
  readonly attempts: Attempts;
  readonly keepAlive: KeepAlive;
  reportError(error: unknown): void;
}

/**
 * N permits, shared by every process that names the same semaphore on the same Redis: strictly first come, first
 * served, leased and fenced. Made by `SemaphoreClient.semaphore`.
 *
 * @example
 * ```ts
 * const api = client.semaphore('payments-api', { limit: 3 });
 * await api.run(async (permit) => charge(card, permit.fencingToken), { timeoutMs: 3_000 });
 * ```
 */
export class Semaphore {
  readonly name: string;
  readonly #parts: SemaphoreParts;
  readonly #asker: Asker;
  /** What this handle holds, oldest first. */
  readonly #leases = new Set<Lease>();
  readonly #forget = (lease: Lease) => this.#leases.delete(lease);
  readonly #actions: PermitActions = {
    release: (lease) => this.releaseLease(lease),
    dispose: (lease) => this.#dispose(lease),
    renew: async (lease, leaseMs) => {
      const ms = leaseMs === undefined ? undefined : parseLeaseMs(this.name, leaseMs);
      await this.#parts.keepAlive.during(this.#parts.engine.renew(lease, ms));
    },
  };
  readonly #permitOf: HandleOf<Permit> = (lease) => new Permit(lease, this.#actions);
  readonly #heldOf: HandleOf<HeldPermit> = (lease, waited) => ({
    lease,
    waited,
    permit: new Permit(lease, this.#actions),
    abort: (reason) => lease.abort(reason),
  });

  /** @internal */
  constructor(parts: SemaphoreParts) {
    this.#parts = parts;
    const { name, keepAlive } = parts;
    const { limit, onLimitMismatch, leaseMs, renew, minReplicas, replicaTimeoutMs } = parts.settings;
    this.name = name;
    this.#asker = {
      name,
      declaration: { limit, onLimitMismatch },
      upkeep: { leaseMs, renew, maxHoldMs: parts.settings.maxHoldMs ?? Number.POSITIVE_INFINITY },
      maxWaiting: parts.settings.maxWaiting ?? -1,
      replication: minReplicas > 0 ? { minReplicas, timeoutMs: replicaTimeoutMs } : undefined,
      keepAlive,
      hold: (lease) => {
        this.#leases.add(lease);
        lease.onEnd = this.#forget;
      },
    };
  }

  /** The limit in force, as far as this client has heard; what it declares itself before that. */
  get limit(): number {
    return this.#parts.engine.limit;
  }

  /**
   * Takes a permit, waiting its turn: behind everybody who asked before, in any process.
   *
   * Rejects with
   * - `AcquireTimeoutError` when `timeoutMs` passed first (0: when there is none at once),
   * - `signal.reason` when the signal aborted first,
   * - `WeightExceedsLimitError` when the weight can never fit (limit > 0 and weight > limit), also if that comes by a
   *   `resize` while it waits,
   * - `NotReplicatedError` when `minReplicas` replicas did not acknowledge the grant within `replicaTimeoutMs`,
   * - `QueueFullError` when `maxWaiting` others wait already,
   * - `LimitMismatchError` when another process declared another limit and the policy is `'error'`,
   * - `AcquireRevokedError` when somebody took it out of the line (`SemaphoreClient.revoke`),
   * - `RedisUnavailableError` when Redis did not answer within `unavailableAfterMs`. Once the request is in line it
   *   outlasts any outage,
   * - `RedisRefusedError`, `ClientClosedError`, `InvalidOptionsError`, `UnsupportedServerError`.
   *
   * A request that rejected holds nothing and has left the line, or does as soon as Redis can be told.
   */
  acquire(options?: AcquireOptions): Promise<Permit> {
    return this.#acquire(() => parseAcquireOptions(this.name, options), this.#permitOf);
  }

  /**
   * Takes a permit if one is free and nobody waits for it; otherwise resolves `null`, as soon as Redis has answered.
   * Never waits in line.
   *
   * Rejects as `acquire` does, but for the time-out, the signal and a line that is full.
   */
  async tryAcquire(options?: TryAcquireOptions): Promise<Permit | null> {
    try {
      return await this.#acquire(
        () => ({ ...parseTryAcquireOptions(this.name, options), timeoutMs: 0 }),
        this.#permitOf,
      );
    } catch (error) {
      if (error instanceof AcquireTimeoutError) {
        return null;
      }
      throw error;
    }
  }

  /**
   * Acquires, calls `fn` with the permit, and releases, whatever `fn` does. `permit.signal` tells `fn` when to stop.
   *
   * Rejects with what `acquire` rejects with, with what `fn` rejects with, and with `PermitLostError` when the lease
   * was lost while `fn` ran, after it has ended; what `fn` rejected with is its `cause` then. A release that fails is an
   * `error` event of the client, and the permit ends with its lease.
   */
  async run<R>(fn: (permit: Permit) => R | PromiseLike<R>, options?: AcquireOptions): Promise<R> {
    const held = await this.#acquire(() => parseAcquireOptions(this.name, options), this.#heldOf);
    return this.#runUnder(held, () => fn(held.permit));
  }

  /**
   * Calls `fn` for every item, each under a permit of its own, and resolves to the results in the order of the items.
   * Takes items only as permits come, never more than can run at once, plus one: a million items queue next to nothing.
   *
   * The first failure (of `fn`, of the source, of an acquire) calls off the rest: no further item is taken, those in line
   * leave it, the signals of the running tasks abort with that reason. It rejects with it when they have ended.
   * `options.signal` does the same; `options.timeoutMs` is for the wait of each item.
   */
  async map<T, R>(
    items: Iterable<T> | AsyncIterable<T>,
    fn: (item: T, permit: Permit, index: number) => R | PromiseLike<R>,
    options?: AcquireOptions,
  ): Promise<R[]> {
    const settings = parseAcquireOptions(this.name, options);
    return concurrentMap({
      items,
      fn,
      signal: settings.signal,
      mostAtOnce: () => Math.floor(this.limit / (settings.weight ?? 1)),
      acquire: (signal) => this.#acquire(() => ({ ...settings, signal }), this.#heldOf),
      run: (held, task, failed) => this.#runUnder(held, task, failed),
    });
  }

  /**
   * Releases a permit (or anything with its `id`), as `permit.release()` does: `true` if it was held by this client.
   *
   * Without one, as asyncio's semaphore does: the oldest permit that this handle holds. If it holds none, the
   * semaphore gains a unit, for everyone; where a bounded handle of this semaphore was used, in any process, it does
   * not, and this resolves `false`.
   *
   * Rejects as `permit.release()` does, and with `InvalidOptionsError` for what has no id. A release that rejected may
   * have been done all the same. One of a permit can be called again; one that adds a unit may then add a second.
   */
  async release(permit?: Pick<Permit, 'id'>): Promise<boolean> {
    if (permit === undefined) {
      const oldest = this.#oldestHeld();
      return oldest === undefined ? this.releaseWithout() : this.releaseLease(oldest);
    }
    return this.releaseById(this.#checkedId(permit));
  }

  /**
   * Sets the limit, for everyone and at once. With more units the next in line are served in the same step; with
   * fewer nothing is taken away, and the semaphore drains. Waiters that are too heavy then are refused.
   *
   * Rejects with `InvalidOptionsError`, `ClientClosedError`, `RedisRefusedError`, `UnsupportedServerError`, and with
   * `RedisUnavailableError` when Redis did not answer: then the limit may be the old one or the new one.
   *
   * @param limit an integer ≥ 0; with 0 nothing is granted, and who asks waits
   */
  async resize(limit: number): Promise<void> {
    const { engine, keepAlive } = this.#parts;
    await keepAlive.during(engine.resize(parseLimit(this.name, limit)));
  }

  /** Who holds and who waits, at one moment. Changes nothing, and rejects as `SemaphoreClient.inspect` does. */
  async inspect(options?: InspectOptions): Promise<SemaphoreSnapshot> {
    const { engine, attempts, keepAlive } = this.#parts;
    const settings = parseInspectOptions(this.name, options);
    return keepAlive.during(inspect(engine.store, attempts, this.name, settings));
  }

  #oldestHeld(): Lease | undefined {
    for (const lease of this.#leases) {
      if (lease.isHeld()) {
        return lease;
      }
    }
    return undefined;
  }

  /** @internal This handle's held leases, oldest first. */
  protected heldLeases(): Lease[] {
    return [...this.#leases].filter((lease) => lease.isHeld());
  }

  /** @internal */
  protected releaseLease(lease: Lease): Promise<boolean> {
    return this.#parts.keepAlive.during(this.#parts.engine.release(lease));
  }

  /** @internal */
  protected releaseById(id: string): Promise<boolean> {
    return this.#parts.keepAlive.during(this.#parts.engine.releaseRecord(id));
  }

  /** @internal A release without a permit, when this handle holds none. */
  protected releaseWithout(): Promise<boolean> {
    return this.#parts.keepAlive.during(this.#parts.engine.gain());
  }

  /** Shows, when it is printed, what this handle holds and how many requests of this client wait. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const held = `${this.heldLeases().length} held here`;
    return `${this.constructor.name}(${this.name}, limit ${this.limit}, ${held}, ${this.#parts.engine.waiting} waiting here)`;
  }

  /** @param settingsOf what throws there rejects here */
  #acquire<P>(settingsOf: () => AcquireSettings, handleOf: HandleOf<P>): Promise<P> {
    return new Promise((resolve, reject) => {
      this.#parts.engine.ask(new PendingAcquire(this.#asker, settingsOf(), handleOf, resolve, reject));
    });
  }

  /** @param failed told what it will reject with, while the permit is still held */
  async #runUnder<R>(
    { lease }: HeldPermit,
    task: () => R | PromiseLike<R>,
    failed?: (reason: unknown) => void,
  ): Promise<R> {
    let result: R;
    try {
      result = await task();
    } catch (error) {
      const { lostError } = lease;
      const reason = lostError === undefined || error === lostError ? error : lostError.causedBy(error);
      failed?.(reason);
      await this.#dispose(lease);
      throw reason;
    }
    await this.#dispose(lease);
    if (lease.lostError !== undefined) {
      throw lease.lostError;
    }
    return result;
  }

  /** The end of a scope: what was released or lost before is over anyway, and what fails now ends with its lease. */
  async #dispose(lease: Lease): Promise<void> {
    if (!lease.isHeld()) {
      return;
    }
    try {
      await this.#parts.keepAlive.during(this.#parts.engine.release(lease));
    } catch (error) {
      this.#parts.reportError(error);
    }
  }

  #checkedId(permit: unknown): string {
    const id = (permit as { id?: unknown } | null)?.id;
    if (typeof id !== 'string' || id === '' || id.length > 1000) {
      throw new InvalidOptionsError(
        `Bad permit for '${this.name}'`,
        [`it has no usable id, allowed is a Permit, or an object with the id of one`],
        this.name,
      );
    }
    return id;
  }
}

interface HeldPermit extends Taken {
  readonly lease: Lease;
}
