/** How many moments are kept. */
const slots = 900;

/** The moments of which numbers are kept, the same for all semaphores: the last 900, in a ring. */
export class Timeline {
  readonly #slotMs: number;
  readonly #atMs = new Float64Array(slots);
  #count = 0;

  /** @param historyMs how far back it reaches when there is a look every 900th part of it, or more often */
  constructor(historyMs: number) {
    this.#slotMs = historyMs / slots;
  }

  /** The number of the slot for this moment. Looks that follow each other faster than slots do share one. */
  at(nowMs: number): number {
    const last = this.#count - 1;
    if (last >= 0 && nowMs - (this.#atMs[last % slots] as number) < this.#slotMs) {
      return last;
    }
    this.#atMs[this.#count % slots] = nowMs;
    return this.#count++;
  }

  /** The slots since then, in order. */
  *since(ms: number): Generator<{ readonly slot: number; readonly atMs: number }> {
    for (let slot = Math.max(0, this.#count - slots); slot < this.#count; slot++) {
      const atMs = this.#atMs[slot % slots] as number;
      if (atMs >= ms) {
        yield { slot, atMs };
      }
    }
  }
}

/** One number over a timeline. */
export class Series {
  readonly #values = new Float32Array(slots).fill(Number.NaN);
  #last = -1;

  /** The largest of a slot stays: a peak must not hide between two moments. */
  put(slot: number, value: number): void {
    if (slot === this.#last) {
      this.#values[slot % slots] = Math.max(value, this.#values[slot % slots] as number);
      return;
    }
    for (let missed = Math.max(this.#last + 1, slot - slots + 1); missed < slot; missed++) {
      this.#values[missed % slots] = Number.NaN;
    }
    this.#values[slot % slots] = value;
    this.#last = slot;
  }

  /** Null where nothing was seen. */
  of(slot: number): number | null {
    const value = slot > this.#last ? Number.NaN : (this.#values[slot % slots] as number);
    return Number.isNaN(value) ? null : value;
  }
}
