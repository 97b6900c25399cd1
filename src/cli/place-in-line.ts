import type { Semaphore } from '../index.ts';
import { showMs } from './values.ts';

const everyMs = 1_000;
const pageSize = 1_000;

/**
 * Shows, on a terminal and there only, at which place a waiting command is. On stderr, in one line that it takes away
 * again: stdout is the command's.
 */
export class PlaceInLine {
  readonly #semaphore: Semaphore;
  readonly #clientId: string;
  readonly #startMs = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #shown = false;
  #closed = false;

  constructor(semaphore: Semaphore, clientId: string) {
    this.#semaphore = semaphore;
    this.#clientId = clientId;
    if (process.stderr.isTTY) {
      this.#timer = setInterval(() => void this.#look(), everyMs);
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    if (this.#shown) {
      process.stderr.write('\r\x1b[K');
    }
  }

  async #look(): Promise<void> {
    try {
      const { waiters, waiting, held, limit } = await this.#semaphore.inspect({ pageSize });
      const own = waiters.find(({ client }) => client === this.#clientId);
      if (own !== undefined || waiting > pageSize) {
        const place = own === undefined ? `more than ${pageSize}` : own.position + 1;
        this.#show(`place ${place} of ${waiting} in line, ${held} of ${limit} units held`);
      }
    } catch {
      this.#show('Redis does not answer');
    }
  }

  #show(text: string): void {
    if (!this.#closed) {
      const waited = showMs(performance.now() - this.#startMs);
      const line = `parkade: ${text}, waiting for ${waited}`.slice(0, (process.stderr.columns ?? 80) - 1);
      process.stderr.write(`\r\x1b[K${line}`);
      this.#shown = true;
    }
  }
}
