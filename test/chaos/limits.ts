import { setTimeout as sleep } from 'node:timers/promises';
import type { Semaphore, SemaphoreClient } from '../../src/index.ts';
import type { GuardedStore } from './guarded-store.ts';
import { nowUs, type SupervisorEvent } from './history.ts';

/** What was granted before the limit shrank may enter the store a while after. */
const settleMs = 3_000;
const tries = 4;

/** The supervisor's own use of the semaphore: it sets the limit, and asks for everything in the end. */
export class Limits {
  readonly #semaphore: Semaphore;
  readonly #store: GuardedStore;
  readonly #log: (event: SupervisorEvent) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(semaphore: Semaphore, store: GuardedStore, log: (event: SupervisorEvent) => void) {
    this.#semaphore = semaphore;
    this.#store = store;
    this.#log = log;
  }

  /** The store is given more room before, and less room after. */
  async set(limit: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#store.limit = Math.max(this.#store.limit, limit);
    this.#timer = setTimeout(() => {
      this.#store.limit = limit;
    }, settleMs).unref();
    const asked = nowUs();
    for (let left = tries; ; left--) {
      try {
        await this.#semaphore.resize(limit);
        break;
      } catch (error) {
        if (left === 1) throw error;
      }
    }
    this.#log({ kind: 'resized', asked, at: nowUs(), limit });
  }

  /** Whether everything has come back: all units are asked for at once, and then the semaphore is looked at. */
  async probe(boundMs: number, client: SemaphoreClient): Promise<SupervisorEvent> {
    const startMs = performance.now();
    const { limit } = await this.#semaphore.inspect();
    const probeMs = await this.#semaphore
      .acquire({ weight: Math.max(1, limit), timeoutMs: Math.ceil(boundMs) })
      .then(
        async (permit) => {
          const tookMs = performance.now() - startMs;
          await permit.release();
          return tookMs;
        },
        () => null,
      );
    let last = await client.inspect(this.#semaphore.name);
    for (let waitMs = 0; waitMs < 2_000 && last.held + last.waiting > 0; waitMs += 50) {
      await sleep(50);
      last = await client.inspect(this.#semaphore.name);
    }
    const { held, waiting } = last;
    return { kind: 'final', at: nowUs(), held, waiting, limit: last.limit, probeMs };
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
