import { Acquirer } from './acquirer.ts';
import type { Attempts } from './attempts.ts';
import { CheckIn } from './check-in.ts';
import type { Clock } from './clock.ts';
import type { EngineParts } from './engine-parts.ts';
import { ClientClosedError, PermitLostError } from './errors.ts';
import { Keeper } from './keeper.ts';
import type { Lease } from './lease.ts';
import { Line } from './line.ts';
import { Outbox } from './outbox.ts';
import type { SemaphoreStore } from './redis/store.ts';
import type { WakeUp } from './redis/wakeups.ts';
import { Releaser } from './releaser.ts';
import { Renewer } from './renewer.ts';
import { putBack } from './restoration.ts';
import { Session } from './session.ts';
import { Teller } from './teller.ts';
import type { Request, Waiter } from './waiter.ts';

/*
 * The engine of one semaphore in one client: everything between the handles that users hold and the scripts.
 *
 * A request is a `Waiter` until it is settled. It starts in the outbox (asking), may get a place in line (queued),
 * and ends granted or failed, once. Granted, it becomes a `Lease`, which the keeper renews until it is released or
 * lost.
 *
 *     ask ──▶ asking ──▶ queued ──▶ granted ══▶ held ──▶ releasing ──▶ released
 *                │          │                    │
 *                └──────────┴──▶ failed          └──▶ lost
 *
 * Coalescing. What is asked for in one turn of the event loop leaves at its end, as one call for each script, in
 * this order: releases (and cancels, which are the same to Redis), renewals, acquires. So whoever releases and
 * asks again in one turn goes to the back of the line.
 *
 * Grants come by three ways: in the reply to the acquire, in the reply to any other call that made room for one of
 * our waiters, and as a message when another client made it. The message may be lost; the check-in, every third of
 * the presence time, finds what it would have said. Whatever comes second finds the waiter settled and changes nothing.
 *
 * With `minReplicas` a grant is not handed out at once. Its lease is kept and renewed as any other, while its waiter
 * stays in our line, granted, until so many replicas have acknowledged it (`acknowledger.ts`).
 *
 * Invariants.
 * - A waiter that failed holds nothing in the end: its record is released in the background, and a grant or a place
 *   in line that turns up for it later is given back.
 * - A grant whose deadline has passed when it arrives is not handed out: it is given back and asked for anew, under
 *   a new record, so that nothing that is said of the old one can be taken for the new one.
 * - A lease that was lost or released is not renewed; its record is taken out behind a renewal that may be under way.
 * - After a loss of data nothing is asked before everything held and waited for was put back.
 *
 * Not guaranteed: that a paused process stops in time (the fencing token is for that), and that no acquire is executed
 * after its release when a connection delivers an old copy late; such a permit ends with its lease.
 */

export interface EngineOptions {
  readonly name: string;
  readonly clientId: string;
  readonly limit: number;
  readonly presenceMs: number;
  readonly retentionMs: number;
}

export interface EngineEvents {
  /** Something waits: messages should be heard. */
  waiting(): void;
  /** A grant was found whose message has not come. */
  missed(record: string): void;
  lost(error: PermitLostError): void;
  restored(permits: number, waiters: number): void;
  error(error: Error): void;
}

/** How long the marker of an added unit stays, and so how long the call may take, at most. */
const gainMemoryMs = 10 * 60 * 1000;

export class Engine {
  readonly #parts: EngineParts;
  readonly #events: EngineEvents;
  readonly #outbox: Outbox;
  readonly #releaser: Releaser;
  readonly #renewer: Renewer;
  readonly #acquirer: Acquirer;
  readonly #checkIn: CheckIn;
  #closed = false;
  readonly #revoked = (lease: Lease) => this.#lose(lease, 'it was revoked', true);

  constructor(
    store: SemaphoreStore,
    attempts: Attempts,
    clock: Clock,
    nextRequestNo: () => number,
    options: EngineOptions,
    events: EngineEvents,
  ) {
    this.#events = events;
    const session = new Session(attempts, clock, options, {
      grants: (grants) => grants.forEach((grant) => void this.#acquirer.take(grant)),
      lookIn: (ms) => this.#checkIn.asked(Math.max(5, ms + 1)),
      recover: () => this.#restore(),
    });
    const expired = (lease: Lease) => this.#lose(lease, 'its lease ended before it was renewed');
    const ended = (lease: Lease) => this.#lose(lease, 'its lease ended on the server before it was renewed');
    const revoked = this.#revoked;
    const keeper = new Keeper(clock, { renew: (leases) => this.#renewer.renewDue(leases), expired });
    const { name, clientId, presenceMs } = options;
    const teller = new Teller(name, clientId, clock, () => session.limit);
    const line = new Line();
    const parts = { name, clientId, presenceMs, clock, attempts, store, session, line, keeper, teller };
    this.#parts = parts;

    // The lanes of the outbox go out in the order of these three.
    this.#outbox = new Outbox(
      () => attempts.isReady(),
      clock,
      () => this.#checkIn.keepUp(),
    );
    this.#releaser = new Releaser(parts, this.#outbox, events.error);
    this.#renewer = new Renewer(parts, this.#outbox, {
      ended,
      revoked,
      error: events.error,
    });
    this.#acquirer = new Acquirer(parts, this.#outbox, nextRequestNo, {
      queued: events.waiting,
      granted: () => this.#checkIn.keepUp(),
      doubtful: () => this.#checkIn.now('all'),
      unwanted: (record) => this.#releaser.giveBack(record),
      expired,
      revoked,
    });
    this.#checkIn = new CheckIn(parts, {
      found: (grant) => {
        this.#acquirer.take(grant);
        events.missed(grant.record);
      },
      revoked: (record) => this.#acquirer.revoke(record),
      refused: (waiter) => this.#acquirer.refuse(waiter),
      dropped: (waiters) => this.#rejoin(waiters),
      ended,
      error: events.error,
    });
  }

  get store(): SemaphoreStore {
    return this.#parts.store;
  }

  /** The limit in force, as far as was heard. */
  get limit(): number {
    return this.#parts.session.limit;
  }

  /** How many requests of this client wait. */
  get waiting(): number {
    return this.#parts.line.size;
  }

  /** A bounded handle exists in this client; Redis hears of it with the next call. */
  setBounded(): void {
    this.#parts.session.setBounded();
  }

  // ---- what handles ask for ----

  /** Asks for a permit. The request hears of it once. */
  ask(request: Request): void {
    const told = this.#parts.teller.request(request);
    if (this.#closed) {
      told.failed(new ClientClosedError(this.#parts.name));
    } else {
      this.#acquirer.ask(told);
    }
  }

  /** Releases a lease of ours. Resolves whether it was held. */
  release(lease: Lease): Promise<boolean> {
    const isHeld = lease.isHeld();
    const first = isHeld || lease.releaseUnconfirmed;
    if (isHeld) {
      this.#parts.teller.released(lease);
    }
    if (first) {
      lease.end('releasing');
      this.#parts.keeper.remove(lease);
    }
    const released = this.#releaser.release(lease.record, first ? lease : undefined);
    // What was lost, or released before, was not held, whatever a server has left of it or a failover has brought back.
    return first ? released : released.then(() => false);
  }

  /** Releases whatever has this record, if it is ours and held. */
  releaseRecord(record: string): Promise<boolean> {
    const { line, keeper } = this.#parts;
    if (line.get(record) !== undefined) {
      return Promise.resolve(false); // a waiter of ours, which has nothing in its hands yet
    }
    const lease = keeper.get(record);
    return lease === undefined ? this.#releaser.release(record, undefined) : this.release(lease);
  }

  /** Renews a lease now. Rejects with `PermitLostError` when it is not held any more. */
  async renew(lease: Lease, leaseMs = lease.acquiredLeaseMs): Promise<void> {
    const { name, attempts } = this.#parts;
    const lost = () =>
      lease.lostError ?? new PermitLostError(name, lease.record, lease.token, 'it was released');
    if (!lease.isHeld()) {
      throw lost();
    }
    const before = lease.leaseMs;
    lease.leaseMs = leaseMs;
    try {
      await this.#renewer.renewNow(lease, attempts.giveUpAtMs());
    } catch (error) {
      lease.leaseMs = before;
      throw error;
    }
    if (!lease.isHeld()) {
      throw lost();
    }
  }

  /** Sets the limit, for everyone. */
  async resize(limit: number): Promise<void> {
    const { session, store, attempts } = this.#parts;
    await session.call('resize', attempts.giveUpAtMs(), (caller) => store.resize(caller, limit));
  }

  /** Adds a unit. Resolves `false` where a bounded handle exists. */
  async gain(): Promise<boolean> {
    const { session, store, attempts, clock } = this.#parts;
    const marker = this.#acquirer.record(0, 0, false);
    const giveUpAtMs = Math.min(attempts.giveUpAtMs(), clock.monotonicMs() + gainMemoryMs / 2);
    const heard = await session.call('add a unit', giveUpAtMs, (caller) =>
      store.gain(caller, marker, gainMemoryMs),
    );
    return heard.kind === 'ok' && heard.answers[0] === true;
  }

  /**
   * Ends everything: waiting requests fail and leave the line; permits are released, or left to their leases.
   * Resolves when Redis has been told; `end` stops that.
   */
  async close(release: boolean): Promise<void> {
    const { name, line, keeper, teller } = this.#parts;
    this.#closed = true;
    this.#checkIn.close();
    keeper.stopRenewals();
    for (const waiter of line.all()) {
      waiter.fail(new ClientClosedError(name));
    }
    const leases = keeper.all();
    const released = release ? leases.map((lease) => this.release(lease)) : [];
    if (!release) {
      leases.forEach((lease) => void teller.left(lease));
    }
    this.#outbox.flush();
    await Promise.allSettled([...released, this.#outbox.settled()]);
  }

  /** What could not be said to Redis by now never will be. */
  end(): void {
    this.#releaser.close();
    this.#outbox.close();
  }

  // ---- what the client tells ----

  /** The connection is there again: what could not be sent goes out, and everything is looked at. */
  connected(): void {
    this.#outbox.flush();
    this.#checkIn.now('all');
  }

  /** Messages are heard from now on: what they said before is looked up. */
  listening(): void {
    this.#checkIn.now('first');
  }

  wakeUp(message: WakeUp): void {
    const { session } = this.#parts;
    const { bound } = session;
    // From other data than we know, or than there will be when we have put ours back: only a reason to look.
    if (message.epoch !== session.epoch || session.isRecovering || !bound.isKnown) {
      this.#checkIn.now('first');
      return;
    }
    session.hearLimit(message.limit);
    // By a clock that was set forward since we heard it, a grant would be relied on for too long: a reply sets it right.
    const isTimely = bound.allows(message.nowMs);
    for (const grant of message.grants) {
      if (isTimely || grant.token === 0) {
        this.#acquirer.take(grant);
      }
    }
    if (!isTimely) {
      this.#checkIn.now('first');
    }
  }

  // ---- what is lost ----

  /** The holder is told, and the units are given back at once: they would idle until the lease ends. */
  #lose(lease: Lease, why: string, revoked = false): void {
    if (lease.state !== 'held') {
      return;
    }
    const { name, line, keeper } = this.#parts;
    const error = new PermitLostError(name, lease.record, lease.token, why, { revoked });
    lease.lostError = error;
    lease.end('lost');
    keeper.remove(lease);
    this.#releaser.giveBack(lease.record);
    if (line.get(lease.record) !== undefined) {
      if (revoked) {
        this.#acquirer.revoke(lease.record);
      }
      return; // not handed out yet: replicas have not acknowledged it, and nobody has it to lose
    }
    lease.abort(error);
    if (!this.#closed) {
      this.#parts.teller.lost(lease, error); // else it was told to be left to its lease, which is its end
    }
    this.#events.lost(error);
  }

  /** Redis has lost its data, or some of it. */
  async #restore(): Promise<void> {
    const { session, keeper, line } = this.#parts;
    const leases = keeper.all().filter((lease) => lease.isHeld());
    const waiters = line.queued();
    if (leases.length + waiters.length === 0 && session.isStale()) {
      session.forget(); // unused for so long that its keys have expired, as they should
      return;
    }
    await putBack(this.#parts, { leases, waiters }, true, this.#revoked);
    this.#parts.teller.restored(leases.length, waiters.length);
    this.#events.restored(leases.length, waiters.length);
    this.#checkIn.now('all');
  }

  /** Our waiters were dropped, since we were silent for too long: back to their places, under new records. */
  async #rejoin(waiters: readonly Waiter[]): Promise<void> {
    const { line, session } = this.#parts;
    for (const waiter of waiters) {
      this.#releaser.giveBack(waiter.record);
      line.rename(waiter, this.#acquirer.newRecord(waiter.request));
    }
    const { epoch } = session;
    if (
      !(await putBack(this.#parts, { leases: [], waiters }, false, this.#revoked)) &&
      session.epoch === epoch
    ) {
      await session.recover();
    }
  }
}
