import type { Attempts } from './attempts.ts';
import { CheckIn } from './check-in.ts';
import type { Clock, Timer } from './clock.ts';
import { hasPassed } from './deadline.ts';
import {
  ClientClosedError,
  LimitMismatchError,
  PermitLostError,
  QueueFullError,
  RedisRefusedError,
  RedisUnavailableError,
  WeightExceedsLimitError,
} from './errors.ts';
import { Keeper } from './keeper.ts';
import { Lease } from './lease.ts';
import { Line } from './line.ts';
import type { OnLimitMismatch } from './options.ts';
import { writeRecord } from './redis/keys.ts';
import { type AcquireAnswer, batchSize, type Grant, type SemaphoreStore } from './redis/store.ts';
import type { WakeUp } from './redis/wakeups.ts';
import { putBack } from './restoration.ts';
import { type Heard, Session } from './session.ts';
import { type Request, Waiter } from './waiter.ts';

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
 * Invariants.
 * - A waiter that failed holds nothing in the end: its record is released in the background, and a grant or a place
 *   in line that turns up for it later is given back.
 * - A grant whose deadline has passed when it arrives is not handed out: it is given back and asked for anew, under
 *   a new record, so that nothing that is said of the old one can be taken for the new one.
 * - A lease that was lost or released is not renewed; if a renewal that was under way succeeds nevertheless, it is
 *   released again.
 * - After a loss of data nothing is asked before everything held and waited for was put back.
 *
 * Not guaranteed: that a paused process stops in time (the fencing token is for that), and that no acquire is executed
 * after its release when a connection delivers an old copy late; such a permit ends with its lease.
 */

export interface EngineOptions {
  readonly name: string;
  readonly clientId: string;
  readonly limit: number;
  readonly onLimitMismatch: OnLimitMismatch;
  readonly presenceMs: number;
  readonly retentionMs: number;
}

export interface EngineEvents {
  /** Something waits for the first time: messages should be heard. */
  waiting(): void;
  /** A grant was found whose message has not come. */
  missed(record: string): void;
  lost(error: PermitLostError): void;
  restored(permits: number, waiters: number): void;
  error(error: Error): void;
}

interface Release {
  readonly record: string;
  /** The lease, if this is the first release of a permit of ours. */
  readonly lease: Lease | undefined;
  readonly giveUpAtMs: number;
  /** `undefined`: in the background, until it is done. */
  readonly done: ((released: boolean) => void) | undefined;
  readonly failed: ((reason: unknown) => void) | undefined;
}

/** How long the marker of an added unit stays, and so how long the call may take, at most. */
const gainMemoryMs = 10 * 60 * 1000;

export class Engine {
  readonly #store: SemaphoreStore;
  readonly #attempts: Attempts;
  readonly #clock: Clock;
  readonly #options: EngineOptions;
  readonly #events: EngineEvents;
  readonly #nextRequestNo: () => number;
  readonly #session: Session;
  readonly #line = new Line();
  readonly #keeper: Keeper;
  readonly #checkIn: CheckIn;

  #acquires: Waiter[] = [];
  #renewals: Lease[] = [];
  #releases: Release[] = [];
  #flushing = false;
  #underWay = new Set<Promise<void>>();
  #onLimitMismatch: OnLimitMismatch | 'settled';
  #holdTimer: Timer | undefined;
  #closed = false;
  #ended = false;

  constructor(
    store: SemaphoreStore,
    attempts: Attempts,
    clock: Clock,
    nextRequestNo: () => number,
    options: EngineOptions,
    events: EngineEvents,
  ) {
    this.#store = store;
    this.#attempts = attempts;
    this.#clock = clock;
    this.#nextRequestNo = nextRequestNo;
    this.#options = options;
    this.#events = events;
    this.#onLimitMismatch = options.onLimitMismatch;
    this.#session = new Session(attempts, clock, options, {
      grants: (grants) => this.#takeGrants(grants),
      lookIn: (ms) => this.#checkIn.within(Math.max(5, ms + 1)),
      recover: () => this.#restore(),
    });
    this.#keeper = new Keeper(clock, {
      renew: (leases) => this.#push(this.#renewals, ...leases),
      expired: (lease) => this.#lose(lease, 'its lease ended before it was renewed'),
    });
    this.#checkIn = new CheckIn(
      { ...this.#parts(), line: this.#line },
      {
        found: (grant) => {
          this.#takeGrant(grant);
          events.missed(grant.record);
        },
        refused: (waiter) => this.#refuse(waiter),
        dropped: (waiters) => this.#rejoin(waiters),
        ended: (lease) => this.#lose(lease, 'its lease ended on the server before it was renewed'),
        error: (error) => events.error(error),
      },
    );
  }

  /** The limit in force, as far as was heard. */
  get limit(): number {
    return this.#session.limit;
  }

  get declaredLimit(): number {
    return this.#session.declaredLimit;
  }

  /** Declares another limit than before, or that a bounded handle exists. */
  declare(limit: number, onLimitMismatch: OnLimitMismatch, bounded: boolean): void {
    this.#session.bounded ||= bounded;
    if (limit !== this.#session.declaredLimit && onLimitMismatch === 'resize') {
      this.#session.declaredLimit = limit;
      this.#onLimitMismatch = 'resize';
    }
  }

  /** Whether anything is held, waited for or under way. */
  get isIdle(): boolean {
    return this.#line.size === 0 && this.#keeper.size === 0 && this.#underWay.size === 0;
  }

  // ---- what handles ask for ----

  /** Asks for a permit. The request hears of it once. */
  ask(request: Request): void {
    if (this.#closed) {
      request.failed(new ClientClosedError(this.#options.name));
      return;
    }
    if (request.signal?.aborted) {
      request.failed(request.signal.reason);
      return;
    }
    const waiter = new Waiter(
      request,
      this.#newRecord(request),
      this.#attempts.giveUpAtMs(),
      this.#options.name,
      this.#clock,
      (abandoned) => this.#abandon(abandoned),
    );
    this.#line.add(waiter);
    this.#push(this.#acquires, waiter);
  }

  /** Releases a lease of ours. Resolves whether it was held. */
  release(lease: Lease): Promise<boolean> {
    const first = lease.isHeld() || lease.releaseUnconfirmed;
    if (first) {
      lease.end('releasing');
      this.#keeper.remove(lease);
    }
    return this.#release(lease.record, first ? lease : undefined);
  }

  /** Releases whatever has this record, if it is ours and held. */
  releaseRecord(record: string): Promise<boolean> {
    if (this.#line.get(record) !== undefined) {
      return Promise.resolve(false); // a waiter of ours, which holds nothing yet
    }
    const lease = this.#keeper.get(record);
    return lease === undefined ? this.#release(record, undefined) : this.release(lease);
  }

  /** Renews a lease now. Rejects with `PermitLostError` when it is not held any more. */
  async renew(lease: Lease, leaseMs = lease.leaseMs): Promise<void> {
    const lost = () =>
      lease.lostError ??
      new PermitLostError(this.#options.name, lease.record, lease.token, 'it was released');
    if (!lease.isHeld()) {
      throw lost();
    }
    lease.leaseMs = leaseMs;
    await this.#sendRenewals([lease], this.#attempts.giveUpAtMs());
    if (!lease.isHeld()) {
      throw lost();
    }
  }

  /** A call that only reads. */
  async read<T>(doing: string, send: () => Promise<T>): Promise<T> {
    const { name } = this.#options;
    const result = await this.#attempts.run(send, {
      doing,
      semaphore: name,
      giveUpAtMs: this.#attempts.giveUpAtMs(),
    });
    if (result.kind === 'abandoned') {
      throw new ClientClosedError(name);
    }
    return result.value;
  }

  /** Sets the limit, for everyone. */
  async resize(limit: number): Promise<void> {
    await this.#session.call('resize', this.#attempts.giveUpAtMs(), (caller) =>
      this.#store.resize(caller, limit),
    );
  }

  /** Adds a unit. Resolves `false` where a bounded handle exists. */
  async gain(): Promise<boolean> {
    const marker = this.#record(0, gainMemoryMs, true);
    const giveUpAtMs = Math.min(this.#attempts.giveUpAtMs(), this.#clock.monotonicMs() + gainMemoryMs / 2);
    const heard = await this.#session.call('add a unit', giveUpAtMs, (caller) =>
      this.#store.gain(caller, marker),
    );
    return heard.kind === 'ok' && heard.answers[0] === true;
  }

  /**
   * Ends everything: waiting requests fail and leave the line; permits are released, or left to their leases.
   * Resolves when Redis has been told; `end` stops that.
   */
  async close(release: boolean): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#line.all()) {
      waiter.fail(new ClientClosedError(this.#options.name));
    }
    this.#keeper.stopRenewals();
    this.#checkIn.close();
    const released = release ? this.#keeper.all().map((lease) => this.release(lease)) : [];
    this.#flush();
    await Promise.allSettled([...released, ...this.#underWay]);
  }

  /** What could not be said to Redis by now never will be. */
  end(): void {
    this.#ended = true;
    this.#holdTimer?.cancel();
    for (const one of this.#releases) {
      one.failed?.(new ClientClosedError(this.#options.name));
    }
    this.#releases = [];
  }

  // ---- what the client tells ----

  /** The connection is there again: what could not be sent goes out, and everything is looked at. */
  connected(): void {
    this.#flush();
    this.#checkIn.now('all');
  }

  /** Messages are heard from now on: what they said before is looked up. */
  listening(): void {
    this.#checkIn.now('first');
  }

  wakeUp(message: WakeUp): void {
    if (message.epoch !== this.#session.epoch || !this.#session.bound.isKnown) {
      this.#checkIn.now('first'); // from other data than we know: only a reason to look
      return;
    }
    this.#session.hearLimit(message.limit);
    this.#takeGrants(message.grants);
  }

  // ---- the outbox ----

  #push<T>(list: T[], ...entries: T[]): void {
    list.push(...entries);
    if (!this.#flushing) {
      this.#flushing = true;
      this.#clock.endOfTurn(() => {
        this.#flushing = false;
        this.#flush();
      });
    }
  }

  #flush(): void {
    if (this.#acquires.length + this.#renewals.length + this.#releases.length === 0) {
      return;
    }
    if (!this.#attempts.isReady()) {
      this.#holdBack();
      return;
    }
    const releases = this.#releases;
    const renewals = this.#renewals;
    const acquires = this.#acquires.filter((waiter) => waiter.state === 'asking');
    this.#releases = [];
    this.#renewals = [];
    this.#acquires = [];
    for (const batch of batches(releases)) {
      this.#track(this.#sendReleases(batch));
    }
    for (const batch of batches(renewals)) {
      this.#track(this.#keepRenewed(batch));
    }
    for (const batch of batches(acquires)) {
      this.#track(this.#sendAcquires(batch));
    }
    this.#checkIn.keepUp();
  }

  /** While the connection is away, what is asked for is kept here and goes out in its order when it is back. */
  #holdBack(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const waiter of this.#acquires) {
      if (!waiter.accepted && nowMs >= waiter.giveUpAtMs) {
        waiter.fail(this.#attempts.unavailable('acquire', this.#options.name));
      }
    }
    const overdue = this.#releases.filter((one) => nowMs >= one.giveUpAtMs);
    this.#releases = this.#releases.filter((one) => nowMs < one.giveUpAtMs);
    for (const one of overdue) {
      this.#failRelease(one, this.#attempts.unavailable('release', this.#options.name));
    }
    this.#holdTimer?.cancel();
    this.#holdTimer = this.#clock.after(200, () => this.#flush());
  }

  #track(call: Promise<void>): void {
    const tracked = call.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }

  // ---- acquire ----

  async #sendAcquires(batch: readonly Waiter[]): Promise<void> {
    let asked: { waiter: Waiter; record: string }[] = [];
    const giveUpAtMs = Math.max(
      ...batch.map((waiter) => (waiter.accepted ? Number.POSITIVE_INFINITY : waiter.giveUpAtMs)),
    );
    try {
      const heard = await this.#session.call(
        'acquire',
        giveUpAtMs,
        (caller) => {
          asked = batch
            .filter((waiter) => waiter.state === 'asking')
            .map((waiter) => ({ waiter, record: waiter.record }));
          for (const { waiter } of asked) {
            waiter.sent = true;
          }
          return this.#store.acquire(
            caller,
            this.#onLimitMismatch,
            asked.map(({ waiter, record }) => ({
              record,
              weight: waiter.request.weight,
              leaseMs: waiter.request.terms.leaseMs,
              maxWaiting: waiter.accepted ? -1 : waiter.request.maxWaiting,
            })),
          );
        },
        () => batch.some((waiter) => waiter.state === 'asking'),
      );
      this.#hearAcquires(asked, heard);
    } catch (error) {
      for (const waiter of batch) {
        waiter.fail(error);
      }
    }
  }

  #hearAcquires(asked: readonly { waiter: Waiter; record: string }[], heard: Heard<AcquireAnswer>): void {
    switch (heard.kind) {
      case 'abandoned':
        return;
      case 'mismatch':
        for (const { waiter } of asked) {
          waiter.fail(
            new LimitMismatchError(this.#options.name, this.#session.declaredLimit, heard.declaredLimit),
          );
        }
        return;
      case 'ok':
        this.#onLimitMismatch = 'settled';
        asked.forEach(({ waiter, record }, i) => {
          this.#hearAcquire(waiter, record, heard.answers[i] as AcquireAnswer, heard.nowMs);
        });
    }
  }

  #hearAcquire(waiter: Waiter, record: string, answer: AcquireAnswer, nowMs: number): void {
    switch (answer.kind) {
      case 'granted':
        this.#takeGrant({ record, token: answer.token, expiresAtMs: answer.expiresAtMs });
        return;
      case 'queued':
        this.#session.see(answer.ticket);
        if (this.#line.get(record) === waiter) {
          const first = !waiter.accepted;
          waiter.state = 'queued';
          waiter.accepted = true;
          waiter.ticket = answer.ticket;
          waiter.queuedAtMs = nowMs;
          if (first) {
            this.#events.waiting();
          }
        } else if (this.#keeper.get(record) === undefined) {
          // Settled meanwhile. A grant by message has removed it from the line in Redis, and this is only late;
          // a place that is really left over must not stay.
          this.#giveBack(record);
        }
        return;
      case 'full':
        waiter.sent = false;
        waiter.fail(new QueueFullError(this.#options.name, waiter.request.maxWaiting, answer.waiting));
        return;
      case 'impossible':
        this.#refuse(waiter);
    }
  }

  /** Its weight exceeds the limit; it is not in line (any more). */
  #refuse(waiter: Waiter): void {
    waiter.sent = false;
    waiter.fail(new WeightExceedsLimitError(this.#options.name, waiter.request.weight, this.#session.limit));
  }

  // ---- grants ----

  #takeGrants(grants: readonly Grant[]): void {
    for (const grant of grants) {
      this.#takeGrant(grant);
    }
  }

  /** Whatever way it came. The second time, and for a request that ended, it changes nothing for the user. */
  #takeGrant(grant: Grant): void {
    const { record, token, expiresAtMs } = grant;
    this.#session.see(token);
    const waiter = this.#line.get(record);
    if (waiter === undefined) {
      if (token !== 0 && this.#keeper.get(record) === undefined) {
        this.#giveBack(record);
      }
      return;
    }
    const { request } = waiter;
    if (token === 0) {
      this.#refuse(waiter);
      return;
    }
    const deadline = this.#session.bound.deadline(expiresAtMs);
    if (hasPassed(deadline, this.#clock)) {
      this.#giveBack(record);
      this.#askAnew(waiter);
      return;
    }
    const lease = new Lease(
      { record, weight: request.weight, token, expiresAtMs },
      request.terms,
      deadline,
      this.#clock,
      (expired) => this.#lose(expired, 'its lease ended before it was renewed'),
    );
    this.#line.remove(waiter);
    this.#keeper.add(lease);
    waiter.grant(lease);
    this.#checkIn.keepUp();
  }

  /** The same request under a new record, at the end of the line. */
  #askAnew(waiter: Waiter): void {
    this.#line.rename(waiter, this.#newRecord(waiter.request));
    waiter.state = 'asking';
    waiter.sent = false;
    this.#push(this.#acquires, waiter);
  }

  /** A waiter has failed: whatever it has in Redis is taken back. */
  #abandon(waiter: Waiter): void {
    this.#line.remove(waiter);
    if (waiter.sent) {
      this.#giveBack(waiter.record);
    }
  }

  // ---- release ----

  #release(record: string, lease: Lease | undefined): Promise<boolean> {
    if (this.#ended) {
      return Promise.reject(new ClientClosedError(this.#options.name));
    }
    return new Promise((done, failed) => {
      this.#push(this.#releases, { record, lease, giveUpAtMs: this.#attempts.giveUpAtMs(), done, failed });
    });
  }

  /** In the background: nobody waits for the answer, and it is tried until there is one. */
  #giveBack(record: string): void {
    this.#push(this.#releases, {
      record,
      lease: undefined,
      giveUpAtMs: Number.POSITIVE_INFINITY,
      done: undefined,
      failed: undefined,
    });
  }

  async #sendReleases(batch: readonly Release[]): Promise<void> {
    const records = batch.map((one) => one.record);
    const awaited = batch.filter((one) => one.done);
    const giveUpAtMs =
      awaited.length > 0 ? Math.max(...awaited.map((one) => one.giveUpAtMs)) : Number.POSITIVE_INFINITY;
    try {
      const heard = await this.#session.call('release', giveUpAtMs, (caller) =>
        this.#store.release(caller, records),
      );
      if (heard.kind === 'ok') {
        batch.forEach((one, i) => {
          this.#hearRelease(one, heard.answers[i] === true, heard.repeated);
        });
      }
    } catch (error) {
      for (const one of batch) {
        this.#failRelease(one, error);
      }
    }
  }

  #hearRelease(one: Release, released: boolean, repeated: boolean): void {
    const { lease } = one;
    // A release that may have been executed before finds nothing because it was.
    const before =
      lease !== undefined &&
      (repeated || lease.releaseUnconfirmed) &&
      !hasPassed(lease.deadline, this.#clock);
    if (lease !== undefined) {
      lease.state = 'released';
      lease.releaseUnconfirmed = false;
    }
    one.done?.(released || before);
  }

  /** The caller can try again; but nobody has to for it to happen: it is said when Redis is back. */
  #failRelease(one: Release, error: unknown): void {
    if (one.lease !== undefined) {
      one.lease.releaseUnconfirmed = true;
    }
    if (error instanceof RedisUnavailableError) {
      this.#giveBack(one.record);
    } else if (one.failed === undefined && error instanceof RedisRefusedError) {
      this.#events.error(error);
    }
    one.failed?.(error);
  }

  // ---- renew ----

  /** A renewal that is due. It is tried again until the deadline. */
  async #keepRenewed(batch: readonly Lease[]): Promise<void> {
    try {
      await this.#sendRenewals(batch, Math.min(...batch.map((lease) => lease.deadline.monotonicMs)));
    } catch (error) {
      if (!(error instanceof ClientClosedError)) {
        this.#events.error(error as Error);
      }
    } finally {
      for (const lease of batch) {
        if (lease.renewing) {
          this.#keeper.retry(lease);
        }
      }
    }
  }

  async #sendRenewals(batch: readonly Lease[], giveUpAtMs: number): Promise<void> {
    let asked: Lease[] = [];
    const heard = await this.#session.call(
      'renew',
      giveUpAtMs,
      (caller) => {
        asked = batch.filter((lease) => lease.state === 'held');
        return this.#store.renew(caller, asked);
      },
      () => batch.some((lease) => lease.state === 'held'),
    );
    if (heard.kind === 'ok') {
      await this.#hearRenewals(asked, heard.answers, heard.nowMs);
    }
  }

  async #hearRenewals(asked: readonly Lease[], answers: readonly number[], nowMs: number): Promise<void> {
    let dataLost = false;
    asked.forEach((lease, i) => {
      const expiresAtMs = answers[i] as number;
      if (!lease.isHeld()) {
        if (expiresAtMs > 0) {
          this.#giveBack(lease.record); // renewed too late: its holder has been told that it is lost
        }
      } else if (expiresAtMs > 0) {
        this.#keeper.confirm(lease, expiresAtMs, this.#session.bound.deadline(expiresAtMs));
      } else if (lease.expiresAtMs > nowMs) {
        dataLost = true; // it was confirmed for longer than this, and only we could have released it
      } else {
        this.#lose(lease, 'its lease ended on the server before it was renewed');
      }
    });
    if (dataLost) {
      await this.#session.recover();
    }
  }

  /** The holder is told, and the units are given back at once: they would idle until the lease ends. */
  #lose(lease: Lease, why: string): void {
    if (lease.state !== 'held') {
      return;
    }
    const error = new PermitLostError(this.#options.name, lease.record, lease.token, why);
    lease.lostError = error;
    lease.end('lost');
    this.#keeper.remove(lease);
    this.#giveBack(lease.record);
    lease.abort(error);
    this.#events.lost(error);
  }

  // ---- what was lost ----

  /** Redis has lost its data, or some of it. */
  async #restore(): Promise<void> {
    const leases = this.#keeper.all().filter((lease) => lease.isHeld());
    const waiters = this.#line.queued();
    if (leases.length + waiters.length === 0 && this.#session.isStale()) {
      this.#session.forget(); // unused for so long that its keys have expired, as they should
      return;
    }
    await putBack(this.#parts(), { leases, waiters }, true);
    this.#events.restored(leases.length, waiters.length);
    this.#checkIn.now('all');
  }

  /** Our waiters were dropped, since we were silent for too long: back to their places, under new records. */
  async #rejoin(waiters: readonly Waiter[]): Promise<void> {
    for (const waiter of waiters) {
      this.#giveBack(waiter.record);
      this.#line.rename(waiter, this.#newRecord(waiter.request));
    }
    if (!(await putBack(this.#parts(), { leases: [], waiters }, false))) {
      await this.#session.recover();
    }
  }

  #parts() {
    const { name, presenceMs } = this.#options;
    return {
      store: this.#store,
      session: this.#session,
      attempts: this.#attempts,
      keeper: this.#keeper,
      clock: this.#clock,
      name,
      presenceMs,
    };
  }

  // ---- records ----

  #newRecord(request: Request): string {
    const { leaseMs, renew } = request.terms;
    // A hand-off gives a short lease where it is renewed anyway, so that a client that died just before costs little.
    return this.#record(
      request.weight,
      renew ? Math.min(leaseMs, this.#options.presenceMs) : leaseMs,
      !renew,
    );
  }

  #record(weight: number, leaseMs: number, firm: boolean): string {
    const { clientId } = this.#options;
    return writeRecord({ clientId, requestNo: this.#nextRequestNo(), weight, leaseMs, firm });
  }
}

function* batches<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < list.length; start += batchSize) {
    yield list.length <= batchSize ? list : list.slice(start, start + batchSize);
  }
}
