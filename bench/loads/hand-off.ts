import type { Semaphore } from '../contenders/contender.ts';
import { nowMs } from './now.ts';

/** One side of a semaphore that goes to and fro between two processes. */
export class HandOffSide {
  readonly #semaphore: Semaphore;
  #granted: Promise<{ permit: unknown; atMs: number }> | undefined;

  constructor(semaphore: Semaphore) {
    this.#semaphore = semaphore;
  }

  ask(): void {
    this.#granted = this.#acquire();
  }

  async granted(): Promise<number> {
    return (await this.#asked()).atMs;
  }

  /** Resolves with the moment at which the release was called. */
  async release(): Promise<number> {
    const { permit } = await this.#asked();
    const atMs = nowMs();
    await this.#semaphore.release(permit);
    return atMs;
  }

  async #acquire(): Promise<{ permit: unknown; atMs: number }> {
    const permit = await this.#semaphore.acquire();
    return { permit, atMs: nowMs() };
  }

  #asked(): Promise<{ permit: unknown; atMs: number }> {
    if (this.#granted === undefined) throw new Error('It was not asked for.');
    return this.#granted;
  }
}
