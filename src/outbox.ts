import type { Clock, Timer } from './clock.ts';
import { batchSize } from './redis/store.ts';

/** One kind of thing that is sent. */
export interface Lane<T> {
  /** Sends at most `batchSize` at once. Never rejects. */
  send(batch: readonly T[]): Promise<void>;
  /** Whether it still has to be sent. */
  isWanted(entry: T): boolean;
  /** Until when it may wait for the connection, monotonic. */
  giveUpAtMs(entry: T): number;
  /** The connection was away for too long. */
  giveUp(entry: T): void;
}

/** While the connection is away, how often to see who has waited too long, ms. */
const holdMs = 200;

/**
 * Collects what is asked for in one turn of the event loop, and sends it at the end of the turn, lane by lane in the
 * order in which the lanes were made. While the connection is away everything is kept, and goes out in its order when
 * it is back.
 */
export class Outbox {
  readonly #isReady: () => boolean;
  readonly #clock: Clock;
  readonly #sent: () => void;
  // biome-ignore lint/suspicious/noExplicitAny: each lane has entries of its own type, which only it handles
  readonly #lanes: { readonly lane: Lane<any>; entries: any[] }[] = [];
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
    const open = { lane, entries: [] as T[] };
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
      const entries = open.entries.filter((entry) => open.lane.isWanted(entry));
      open.entries = [];
      for (let start = 0; start < entries.length; start += batchSize) {
        this.#track(open.lane.send(entries.slice(start, start + batchSize)));
      }
    }
    this.#sent();
  }

  /** Resolves when all that was sent by now is answered, or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
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

  #track(call: Promise<void>): void {
    const tracked = call.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }
}
