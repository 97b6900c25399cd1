import type { Hello, Look, Row } from '../messages.ts';
import { useOf } from './format.ts';

/** What is shown of one semaphore in the overview. */
export interface Semaphore {
  row: Row;
  /** How full in each bucket, at most; the last is now. */
  readonly use: (number | null)[];
  /** How long a line in each bucket, at most. */
  readonly waiting: (number | null)[];
}

/** What the table can be in order of. */
export const columns = {
  name: { title: 'Semaphore', of: () => 0 },
  use: { title: 'Held', of: ({ row }: Semaphore) => useOf(row) },
  waiting: { title: 'Waiting', of: ({ row }: Semaphore) => row.waiting },
  wait: { title: 'Longest wait', of: ({ row }: Semaphore) => (row.waiting > 0 ? row.oldestWaitMs : -1) },
  grants: { title: 'Grants/s', of: ({ row }: Semaphore) => row.grantsPerS ?? -1 },
} as const;
export type Column = keyof typeof columns;

export interface Choice {
  readonly text: string;
  readonly only: 'all' | 'held' | 'line';
  readonly column: Column;
  readonly isReversed: boolean;
}

/** All semaphores, as they were at the last look, and how they were lately. */
export class Semaphores {
  readonly #byId = new Map<number, Semaphore>();
  #bucketMs = 1;
  #buckets = 0;
  #bucket = 0;

  get all(): Iterable<Semaphore> {
    return this.#byId.values();
  }

  named(name: string): Semaphore | undefined {
    for (const semaphore of this.#byId.values()) {
      if (semaphore.row.name === name) {
        return semaphore;
      }
    }
    return undefined;
  }

  start({ rows, trails, bucketMs, historyMs, atMs }: Hello): void {
    this.#byId.clear();
    this.#buckets = Math.ceil(historyMs / bucketMs);
    this.#bucketMs = bucketMs;
    this.#bucket = Math.floor(atMs / bucketMs);
    for (const row of rows) {
      const { use = [], waiting = [] } = trails[row.id] ?? {};
      const unknown = Array<null>(Math.max(0, this.#buckets - use.length)).fill(null);
      this.#byId.set(row.id, { row, use: [...unknown, ...use], waiting: [...unknown, ...waiting] });
    }
  }

  apply({ rows, gone, atMs, failure }: Look): void {
    const buckets = this.#buckets;
    for (const row of rows) {
      const known = this.#byId.get(row.id);
      if (known) {
        known.row = row;
      } else {
        const nothing = () => Array<number | null>(buckets).fill(null);
        this.#byId.set(row.id, { row, use: nothing(), waiting: nothing() });
      }
    }
    for (const id of gone) {
      this.#byId.delete(id);
    }
    const bucket = Math.floor(atMs / this.#bucketMs);
    const steps = Math.min(buckets, Math.max(0, bucket - this.#bucket));
    this.#bucket += Math.max(0, bucket - this.#bucket);
    for (const { row, use, waiting } of this.#byId.values()) {
      for (let i = 0; i < steps; i++) {
        for (const trail of [use, waiting]) {
          trail.shift();
          trail.push(null);
        }
      }
      if (failure === null) {
        const last = buckets - 1;
        use[last] = Math.max(use[last] ?? 0, useOf(row));
        waiting[last] = Math.max(waiting[last] ?? 0, row.waiting);
      }
    }
  }

  /** Those that fit, in order: the largest first, but names from A; by name among equals. */
  chosen({ text, only, column, isReversed }: Choice): Semaphore[] {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = ({ row }: Semaphore) =>
      (only === 'all' || (only === 'held' ? row.held > 0 : row.waiting > 0)) &&
      words.every((word) => row.name.toLowerCase().includes(word));
    const { of } = columns[column];
    const sign = isReversed ? -1 : 1;
    return [...this.#byId.values()].filter(fits).sort((a, b) => {
      const byNumber = of(b) - of(a) || (column === 'name' ? 0 : b.row.waiting - a.row.waiting);
      return sign * byNumber || (column === 'name' ? sign : 1) * compareNames(a.row.name, b.row.name);
    });
  }
}

const collator = new Intl.Collator('en', { numeric: true });

function compareNames(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : 1);
}
