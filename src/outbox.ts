import type { Clock, Timer } from './clock.ts';
import { batchSize } from './redis/store.ts';

/** One kind of thing that is sent. */
export interface Lane<T> {
  /**
   * Sends at most `batchSize` at once. Never rejects. What was held back had to wait for others, not for the connection:
   * that is no reason to give it up.
   */
  send(batch: readonly T[], wasHeldBack: boolean): Promise<void>;
  /** Whether it still has to be sent. */
  isWanted(entry: T): boolean;
  /** Until when it may wait for the connection, monotonic. */
  giveUpAtMs(entry: T): number;
  /** The connection was away for too long. */
  giveUp(entry: T): void;
}

/** While so many of a lane are under way, no more are sent: the server works them off, and what comes is coalesced. */
const mostUnderWay = 4 * batchSize;

/** While the connection is away, how often to see who has waited too long, ms. */
const holdMs = 200;

// biome-ignore lint/suspicious/noExplicitAny: each lane has entries of its own type, which only it handles
interface OpenLane<T = any> {
  readonly lane: Lane<T>;
  entries: T[];
  /** How many are sent and not answered. */
  underWay: number;
  /** Entries are left since too many were under way. */
  holdsBack: boolean;
}

/**
 * Collects what is asked for in one turn of the event loop, and sends it at the end of the turn, lane by lane in the
 * order in which the lanes were made. While the connection is away everything is kept, and goes out in its order when
 * it is back. So it is with what is too much to be under way at once, when some of that was answered: a hundred thousand
 * requests of one turn would keep all that comes after them waiting for longer than an attempt may take.
 */
export class Outbox {
  readonly #isReady: () => boolean;
  readonly #clock: Clock;
  readonly #sent: () => void;
  readonly #lanes: OpenLane[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #flushing = false;
  #holdTimer: Timer | undefined;

  /** @param sent called after something went out */
  constructor(isReady: () => boolean, clock: Clock, sent: () => void) {
    this.#isReady = isReady;
    this.#clock = clock;
    this.#sent = sent;
  }

  /** Adds a lane behind the others. Returns the way to put something into it. */
  open<T>(lane: Lane<T>): (entry: T) => void {
    const open: OpenLane<T> = { lane, entries: [], underWay: 0, holdsBack: false };
    this.#lanes.push(open);
    return (entry) => {
      open.entries.push(entry);
      if (!this.#flushing) {
        this.#flushing = true;
        this.#clock.endOfTurn(() => {
          this.#flushing = false;
          this.flush();
        });
      }
    };
  }

  flush(): void {
    if (this.#lanes.every(({ entries }) => entries.length === 0)) {
      return;
    }
    if (!this.#isReady()) {
      this.#holdTimer ??= this.#clock.after(holdMs, () => {
        this.#holdTimer = undefined;
        this.#giveUpOverdue(this.#clock.monotonicMs());
        this.flush();
      });
      return;
    }
    for (const open of this.#lanes) {
      this.#flushLane(open);
    }
    this.#sent();
  }

  #flushLane(open: OpenLane): void {
    const entries = open.entries.filter((entry) => open.lane.isWanted(entry));
    open.entries = [];
    let start = 0;
    for (; start < entries.length && open.underWay < mostUnderWay; start += batchSize) {
      this.#send(open, entries.slice(start, start + batchSize));
    }
    open.holdsBack = start < entries.length;
    if (open.holdsBack) {
      open.entries = [...entries.slice(start), ...open.entries];
    }
  }

  #send(open: OpenLane, batch: readonly unknown[]): void {
    open.underWay += batch.length;
    const call = open.lane.send(batch, open.holdsBack).finally(() => {
      this.#underWay.delete(call);
      open.underWay -= batch.length;
      if (open.holdsBack) {
        this.flush();
      }
    });
    this.#underWay.add(call);
  }

  /** Resolves when all that is there is answered, or has failed; what waits for the connection is not waited for. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) {
      await Promise.all(this.#underWay);
    }
  }

  /** Gives up what was not sent. */
  close(): void {
    this.#holdTimer?.cancel();
    this.#giveUpOverdue(Number.POSITIVE_INFINITY);
  }

  #giveUpOverdue(nowMs: number): void {
    for (const open of this.#lanes) {
      const wanted = open.entries.filter((entry) => open.lane.isWanted(entry));
      const overdue = wanted.filter((entry) => nowMs >= open.lane.giveUpAtMs(entry));
      open.entries = wanted.filter((entry) => nowMs < open.lane.giveUpAtMs(entry));
      for (const entry of overdue) {
        open.lane.giveUp(entry);
      }
    }
  }
}
