import type { SemaphoreSnapshot } from '../../index.ts';

/** Of what is no longer listed, so much is remembered for so long, since a longer list may have it. */
const most = 10_000;

/**
 * When each holder of a semaphore was first seen. Redis does not keep since when a permit is held; it was held for at
 * least as long as somebody has seen it.
 */
export class FirstSeen {
  readonly #atMs = new Map<string, number>();

  see({ holders, holding }: SemaphoreSnapshot, nowMs: number): void {
    for (const { id } of holders) {
      if (!this.#atMs.has(id)) {
        this.#atMs.set(id, nowMs);
      }
    }
    if (holders.length < holding ? this.#atMs.size > most : this.#atMs.size > holders.length) {
      const listed = new Set(holders.map(({ id }) => id));
      for (const id of this.#atMs.keys()) {
        if (!listed.has(id)) {
          this.#atMs.delete(id);
        }
      }
    }
  }

  /** For how long it has been seen, ms. */
  ageMs(id: string, nowMs: number): number {
    return nowMs - (this.#atMs.get(id) ?? nowMs);
  }
}
