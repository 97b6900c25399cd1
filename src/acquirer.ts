import { Acknowledger } from './acknowledger.ts';
import type { EngineParts } from './engine-parts.ts';
import {
  AcquireRevokedError,
  LimitMismatchError,
  QueueFullError,
  WeightExceedsLimitError,
} from './errors.ts';
import { Lease } from './lease.ts';
import type { Declaration } from './options.ts';
import type { Outbox } from './outbox.ts';
import { writeRecord } from './redis/keys.ts';
import type { AcquireAnswer, Grant, Reply } from './redis/store.ts';
import type { Heard } from './session.ts';
import { type Request, Waiter } from './waiter.ts';

export interface AcquirerEvents {
  /** A request got a place in line: messages should be heard. */
  queued(): void;
  /** A permit was granted. */
  granted(): void;
  /** Somebody took this permit away. */
  revoked(lease: Lease): void;
  /** Something is not in Redis as it should be. */
  doubtful(): void;
  /** A record in Redis that nobody here wants (any more). */
  unwanted(record: string): void;
  /** The deadline of a granted lease has passed. */
  expired(lease: Lease): void;
}

interface Asked {
  readonly waiter: Waiter;
  /** Its record when it was asked; it may have got another since. */
  readonly record: string;
}

/** Turns requests into leases: asks, and takes grants by whatever way they come. */
export class Acquirer {
  readonly #parts: EngineParts;
  readonly #events: AcquirerEvents;
  readonly #nextRequestNo: () => number;
  readonly #push: (waiter: Waiter) => void;
  readonly #settled = new Set<string>();
  readonly #acknowledger: Acknowledger;
  readonly #abandoned = (waiter: Waiter) => this.#abandon(waiter);

  constructor(parts: EngineParts, outbox: Outbox, nextRequestNo: () => number, events: AcquirerEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#nextRequestNo = nextRequestNo;
    this.#push = outbox.open<Waiter>({
      send: async (batch, wasHeldBack) => {
        if (wasHeldBack) {
          for (const waiter of batch) {
            waiter.giveUpAtMs = parts.attempts.giveUpAtMs();
          }
        }
        await Promise.all(this.#byDeclaration(batch).map((group) => this.#send(group)));
      },
      isWanted: (waiter) => waiter.state === 'asking',
      giveUpAtMs: (waiter) => waiter.giveUpAtMs,
      giveUp: (waiter) => waiter.fail(parts.attempts.unavailable('acquire', parts.name)),
    });
    this.#acknowledger = new Acknowledger(parts, outbox, {
      acknowledged: (waiter, lease) => this.#handOut(waiter, lease),
      late: (waiter) => this.#giveBackAndAskAnew(waiter),
      revoked: (lease) => events.revoked(lease),
      doubtful: events.doubtful,
    });
  }

  ask(request: Request): void {
    const { name, line, clock, attempts } = this.#parts;
    if (request.signal?.aborted) {
      request.failed(request.signal.reason);
      return;
    }
    const waiter = new Waiter(
      request,
      this.newRecord(request),
      attempts.giveUpAtMs(),
      name,
      clock,
      this.#abandoned,
    );
    line.add(waiter);
    this.#push(waiter);
  }

  /** The name of a request in Redis. */
  newRecord({ weight, upkeep: { leaseMs, renew } }: Request): string {
    const { presenceMs } = this.#parts;
    // A hand-off gives a short lease where it is renewed anyway, so that a client that died just before costs little.
    return this.record(weight, renew ? Math.min(leaseMs, presenceMs) : leaseMs, !renew);
  }

  record(weight: number, leaseMs: number, firm: boolean): string {
    const { clientId } = this.#parts;
    return writeRecord({ clientId, requestNo: this.#nextRequestNo(), weight, leaseMs, firm });
  }

  /** Whatever way it came. The second time, and for a request that ended, it changes nothing for the user. */
  take({ record, token, expiresAtMs }: Grant): void {
    const { line, keeper, session, clock } = this.#parts;
    session.see(token);
    if (token === 0 && expiresAtMs > 0) {
      this.revoke(record);
      return;
    }
    const waiter = line.get(record);
    if (waiter?.state === 'granted') {
      return;
    }
    if (waiter === undefined) {
      if (token !== 0 && keeper.get(record) === undefined) {
        this.#events.unwanted(record);
      }
      return;
    }
    if (token === 0) {
      this.refuse(waiter);
      return;
    }
    const deadlineMs = session.bound.deadlineMs(expiresAtMs);
    if (clock.monotonicMs() >= deadlineMs) {
      this.#giveBackAndAskAnew(waiter);
      return;
    }
    const { weight, upkeep, replication } = waiter.request;
    const lease = new Lease(
      { record, weight, token, expiresAtMs },
      upkeep,
      deadlineMs,
      clock,
      this.#events.expired,
    );
    keeper.add(lease);
    if (replication === undefined) {
      this.#handOut(waiter, lease);
    } else {
      waiter.state = 'granted';
      this.#acknowledger.start(waiter, lease, replication);
    }
    this.#events.granted();
  }

  #handOut(waiter: Waiter, lease: Lease): void {
    this.#parts.line.remove(waiter);
    waiter.handOut(lease);
  }

  /** Its weight exceeds the limit; it is not in line (any more). */
  refuse(waiter: Waiter): void {
    const { name, session } = this.#parts;
    waiter.sent = false;
    waiter.fail(new WeightExceedsLimitError(name, waiter.request.weight, session.limit));
  }

  /** Somebody took it away, whatever it is here. */
  revoke(record: string): void {
    const { name, line, keeper } = this.#parts;
    const lease = keeper.get(record);
    if (lease !== undefined) {
      this.#events.revoked(lease);
      return;
    }
    const waiter = line.get(record);
    if (waiter !== undefined) {
      waiter.sent = false;
      waiter.fail(new AcquireRevokedError(name, record));
    }
  }

  async #send(batch: readonly Waiter[]): Promise<void> {
    const { session, store } = this.#parts;
    const [
      {
        request: { declaration },
      },
    ] = batch as [Waiter];
    let asked: Asked[] = [];
    let isOver = false;
    try {
      const heard = await session.call(
        'acquire',
        Math.max(...batch.map((waiter) => waiter.giveUpAtMs)),
        (caller) => {
          asked = batch.flatMap((waiter) =>
            waiter.state === 'asking' ? [{ waiter, record: waiter.record }] : [],
          );
          for (const { waiter } of asked) {
            waiter.sent = true;
          }
          const attempt = asked;
          const reply = this.#isSettled(declaration)
            ? store.acquire(caller, 'settled', asked.map(requestOf))
            : store.acquire(
                { ...caller, limit: declaration.limit },
                declaration.onLimitMismatch,
                asked.map(requestOf),
              );
          reply.then(
            (late) => (isOver || asked !== attempt) && this.#hearLate(attempt, late),
            () => {},
          );
          return reply;
        },
        () => batch.some((waiter) => waiter.state === 'asking'),
      );
      this.#hear(asked, heard, declaration);
    } catch (error) {
      for (const waiter of batch) {
        if (waiter.state === 'asking') {
          waiter.fail(error); // the others have found their place by another way
        }
      }
    } finally {
      isOver = true;
    }
  }

  /** An answer to an attempt that was given up: what it grants or queues, nobody may be waiting for any more. */
  #hearLate(asked: readonly Asked[], reply: Reply<AcquireAnswer>): void {
    const { line, keeper } = this.#parts;
    if (reply.kind === 'ok') {
      asked.forEach(({ record }, i) => {
        const isTaken = ['granted', 'queued'].includes(reply.answers[i]?.kind ?? '');
        if (isTaken && line.get(record) === undefined && keeper.get(record) === undefined) {
          this.#events.unwanted(record);
        }
      });
    }
  }

  #hear(asked: readonly Asked[], heard: Heard<AcquireAnswer>, declaration: Declaration): void {
    const { name } = this.#parts;
    switch (heard.kind) {
      case 'abandoned':
        return;
      case 'mismatch':
        for (const { waiter } of asked) {
          waiter.sent = false;
          waiter.fail(new LimitMismatchError(name, declaration.limit, heard.declaredLimit));
        }
        return;
      case 'ok':
        this.#settled.add(keyOf(declaration));
        asked.forEach((one, i) => {
          this.#hearAnswer(one, heard.answers[i] as AcquireAnswer, heard.nowMs);
        });
    }
  }

  #hearAnswer({ waiter, record }: Asked, answer: AcquireAnswer, nowMs: number): void {
    if (waiter.record !== record && !['granted', 'queued'].includes(answer.kind)) {
      return; // it was asked anew since, and this says nothing of that
    }
    switch (answer.kind) {
      case 'granted':
        this.take({ record, token: answer.token, expiresAtMs: answer.expiresAtMs });
        return;
      case 'queued':
        this.#hearQueued(waiter, record, answer.ticket, nowMs);
        return;
      case 'full':
        waiter.sent = false;
        waiter.fail(new QueueFullError(this.#parts.name, waiter.request.maxWaiting, answer.waiting));
        return;
      case 'revoked':
        this.revoke(record);
        return;
      case 'impossible':
        this.refuse(waiter);
    }
  }

  #hearQueued(waiter: Waiter, record: string, ticket: number, nowMs: number): void {
    const { session, line, keeper } = this.#parts;
    session.see(ticket);
    if (line.get(record) === waiter && waiter.state !== 'granted') {
      waiter.queue(ticket, nowMs);
      this.#events.queued();
    } else if (keeper.get(record) === undefined) {
      // Settled meanwhile. If by a grant, this is only late; but a place that is left over must not stay.
      this.#events.unwanted(record);
    }
  }

  /** In their order, those together that can go in one call: what Redis has not heard declared yet goes alone. */
  #byDeclaration(batch: readonly Waiter[]): Waiter[][] {
    const groups: Waiter[][] = [];
    let last: string | undefined;
    for (const waiter of batch) {
      const { declaration } = waiter.request;
      const key = this.#isSettled(declaration) ? 'settled' : keyOf(declaration);
      if (key === last) {
        groups.at(-1)?.push(waiter);
      } else {
        groups.push([waiter]);
      }
      last = key;
    }
    return groups;
  }

  /** Whether Redis has heard the declaration, and what followed from it was done. */
  #isSettled(declaration: Declaration): boolean {
    return this.#settled.has(keyOf(declaration));
  }

  /** The same request under a new record, at the end of the line. */
  #giveBackAndAskAnew(waiter: Waiter): void {
    this.#events.unwanted(waiter.record);
    this.#parts.line.rename(waiter, this.newRecord(waiter.request));
    waiter.state = 'asking';
    waiter.sent = false;
    this.#push(waiter);
  }

  /** It has failed: whatever it has in Redis is taken back. */
  #abandon(waiter: Waiter): void {
    const { line, keeper } = this.#parts;
    line.remove(waiter);
    const lease = keeper.get(waiter.record);
    if (lease !== undefined) {
      lease.end('releasing'); // it was granted, and not handed out yet
      keeper.remove(lease);
    }
    if (waiter.sent) {
      this.#events.unwanted(waiter.record);
    }
  }
}

function keyOf({ limit, onLimitMismatch }: Declaration): string {
  return `${limit} ${onLimitMismatch}`;
}

function requestOf({ waiter, record }: Asked) {
  const { weight, upkeep, maxWaiting } = waiter.request;
  // Once in line it is not turned away, wherever it has to ask again.
  return { record, weight, leaseMs: upkeep.leaseMs, maxWaiting: waiter.accepted ? -1 : maxWaiting };
}
