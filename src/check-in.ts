import type { Timer } from './clock.ts';
import type { EngineParts } from './engine-parts.ts';
import type { Lease } from './lease.ts';
import { type BeatAnswer, batchSize, type Grant } from './redis/store.ts';
import type { Waiter } from './waiter.ts';

type CheckInParts = Omit<EngineParts, 'name' | 'clientId'>;

export interface CheckInEvents {
  /** Granted, and no message has said so yet. */
  found(grant: Grant): void;
  /** Somebody took it away: a permit, or a place in line. */
  revoked(record: string): void;
  /** Not in line any more because its weight exceeds the limit. */
  refused(waiter: Waiter): void;
  /** Dropped from the line because we were silent for longer than our presence. */
  dropped(waiters: Waiter[]): Promise<void>;
  /** Its lease has ended on the server. */
  ended(lease: Lease): void;
  error(error: Error): void;
}

/**
 * Looks in on Redis every third of the presence time while something waits or is held: keeps our waiters present,
 * finds what messages failed to say, and notices a loss of data. Looks at once when there is a reason.
 *
 * One look at the lowest ticket covers all our waiters: grants follow tickets and tickets never change, so while it
 * waits, none of the others was granted. Any other answer is a reason to look at everything.
 */
export class CheckIn {
  readonly #parts: CheckInParts;
  readonly #events: CheckInEvents;
  #timer: Timer | undefined;
  #atMs = Number.POSITIVE_INFINITY;
  #busy = false;
  #wanted: 'nothing' | 'first' | 'all' = 'nothing';
  #asked = false;
  #closed = false;
  /** Where in the list of held permits the next look goes on. */
  #heldFrom = 0;
  /** When, by the server's time, all our waiters were last known to be in line. */
  #lineSeen = { epoch: 0, atMs: 0 };

  constructor(parts: CheckInParts, events: CheckInEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  /** Makes sure that the next regular look comes in time. Cheap: called for everything that is asked or granted. */
  keepUp(): void {
    if (this.#parts.line.size + this.#parts.keeper.size > 0) {
      this.within(this.#everyMs());
    }
  }

  /** Looks in so many ms at the latest. */
  within(ms: number): void {
    const { clock } = this.#parts;
    const atMs = clock.monotonicMs() + ms;
    if (atMs < this.#atMs && !this.#closed) {
      this.#timer?.cancel();
      this.#atMs = atMs;
      this.#timer = clock.after(ms, () => {
        this.#atMs = Number.POSITIVE_INFINITY;
        void this.#look();
      });
    }
  }

  /** Looks in so many ms, even if nothing of ours waits or is held: Redis has asked for it. */
  asked(ms: number): void {
    this.#asked = true;
    this.within(ms);
  }

  /** Looks now: at the first in line, or, where that may not be enough, at everything. */
  now(what: 'first' | 'all'): void {
    this.#wanted = this.#wanted === 'all' ? 'all' : what;
    this.within(0);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** A little earlier than every third, so that many clients don't fall into step. Shorter where leases are. */
  #everyMs(): number {
    const { clock, line, presenceMs } = this.#parts;
    return (Math.min(presenceMs, line.shortestLeaseMs()) / 3) * (1 - clock.random() / 10);
  }

  async #look(): Promise<void> {
    if (this.#busy) {
      this.#wanted = this.#wanted === 'all' ? 'all' : 'first';
      return;
    }
    this.#busy = true;
    try {
      do {
        const everything = this.#wanted === 'all';
        this.#wanted = 'nothing';
        await this.#beat(everything);
      } while (this.#wanted !== 'nothing' && !this.#closed);
    } catch (error) {
      this.#wanted = 'all';
      if (!this.#closed) {
        this.#events.error(error as Error);
      }
    } finally {
      this.#busy = false;
      this.keepUp();
    }
  }

  async #beat(everything: boolean): Promise<void> {
    const { store, session, attempts, line, keeper } = this.#parts;
    const first = line.first();
    if (first === undefined && keeper.size === 0 && !this.#asked) {
      return;
    }
    this.#asked = false;
    const records = everything
      ? [...line.queued().map((waiter) => waiter.record), ...keeper.all().map((lease) => lease.record)]
      : [...(first === undefined ? [] : [first.record]), ...this.#someHeld()];
    const findings = new Findings();
    const { epoch } = session;
    for (let start = 0; start === 0 || start < records.length; start += batchSize) {
      const batch = records.slice(start, start + batchSize);
      const heard = await session.call('check in', attempts.giveUpAtMs(), (caller) =>
        store.beat(caller, first !== undefined, batch),
      );
      if (heard.kind !== 'ok') {
        return;
      }
      findings.atMs = Math.floor(heard.nowMs); // as the server keeps its times
      findings.firstIsQueued ||= first !== undefined && start === 0 && heard.answers[0]?.kind === 'queued';
      batch.forEach((record, i) => {
        this.#judge(record, heard.answers[i] as BeatAnswer, findings);
      });
    }
    if (!findings.surprise) {
      if (findings.firstIsQueued && !everything) {
        this.#lineSeen = { epoch: session.epoch, atMs: findings.atMs };
      }
    } else if (!everything || session.epoch !== epoch) {
      this.#wanted = 'all'; // or all has changed while we looked
    } else if (findings.dataLost) {
      await session.recover();
    } else if (findings.dropped.length > 0) {
      await this.#events.dropped(findings.dropped);
    }
  }

  /**
   * Held permits to ask about: an older copy of the data, which a failover has put in place, may lack the latest. All
   * of them, or, if they are many, the next ones each time.
   */
  #someHeld(): string[] {
    const held = this.#parts.keeper.all();
    const most = batchSize - 1;
    const start = held.length <= most ? 0 : this.#heldFrom % held.length;
    this.#heldFrom = start + most;
    return held.slice(start, start + most).map((lease) => lease.record);
  }

  #judge(record: string, answer: BeatAnswer, findings: Findings): void {
    const { session, line, keeper } = this.#parts;
    const nowMs = findings.atMs;
    const waiter = line.get(record);
    const lease = keeper.get(record);
    if (answer.kind === 'revoked') {
      findings.surprise = true; // what else was missed?
      this.#events.revoked(record);
      return;
    }
    if (waiter?.state === 'queued') {
      switch (answer.kind) {
        case 'queued':
          waiter.queuedAtMs = nowMs;
          return;
        case 'granted':
          findings.surprise = true;
          this.#events.found({ record, token: answer.token, expiresAtMs: answer.expiresAtMs });
          return;
        case 'unknown':
          findings.surprise = true;
          if (session.limit > 0 && waiter.request.weight > session.limit) {
            this.#events.refused(waiter);
          } else if (nowMs < this.#validUntilMs(waiter) && answer.refusedAtMs < this.#seenAtMs(waiter)) {
            findings.dataLost = true;
          } else {
            findings.dropped.push(waiter);
          }
      }
    } else if (lease?.isHeld() && answer.kind === 'unknown') {
      findings.surprise = true;
      if (nowMs < lease.expiresAtMs) {
        findings.dataLost = true;
      } else {
        this.#events.ended(lease);
      }
    }
  }

  /** When, by the server's time, a waiter was last known to be in line. */
  #seenAtMs(waiter: Waiter): number {
    const { epoch, atMs } = this.#lineSeen;
    return Math.max(Math.floor(waiter.queuedAtMs), epoch === this.#parts.session.epoch ? atMs : 0);
  }

  /** Until when, by the server's time, a waiter that was in line must still be there, or hold a permit. */
  #validUntilMs(waiter: Waiter): number {
    return this.#seenAtMs(waiter) + Math.min(waiter.request.upkeep.leaseMs, this.#parts.presenceMs);
  }
}

class Findings {
  /** The server's time of the last reply. */
  atMs = 0;
  /** Redis itself says so, whatever has become of it here since. */
  firstIsQueued = false;
  /** Something was not as the last reply left it. */
  surprise = false;
  dataLost = false;
  readonly dropped: Waiter[] = [];
}
