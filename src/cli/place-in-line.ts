import { fstatSync, readFileSync } from 'node:fs';
import type { Semaphore } from '../index.ts';
import { showMs } from './values.ts';

const everyMs = 1_000;
const pageSize = 1_000;

/** To the start of the line, which is emptied. */
const clear = '\r\x1b[K';
/** Whatever is written between them stays on its line, however wide its characters are. */
const [noWrap, wrap] = ['\x1b[?7l', '\x1b[?7h'];

/**
 * Shows, to somebody at a terminal and to nobody else, at which place a waiting command is. On stderr, in one line that
 * it takes away again: stdout is the command's.
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
    if (process.stderr.isTTY && !isUnattended()) {
      this.#timer = setInterval(() => void this.#look(), everyMs);
    }
  }

  /** Until the next look. */
  hide(): void {
    if (this.#shown) {
      process.stderr.write(clear);
      this.#shown = false;
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.hide();
  }

  async #look(): Promise<void> {
    if (isInBackground()) {
      this.#shown = false; // the line that the cursor is in is not ours any more
      return;
    }
    try {
      const { name, waiters, waiting, held, limit } = await this.#semaphore.inspect({ pageSize });
      const own = waiters.find(({ client }) => client === this.#clientId);
      if (own !== undefined || waiting > pageSize) {
        const place = own === undefined ? `more than ${pageSize}` : own.position + 1;
        this.#show(`place ${place} of ${waiting} in line for ${name}, ${held} of ${limit} units held`);
      }
    } catch {
      this.#show('Redis does not answer');
    }
  }

  #show(text: string): void {
    if (!this.#closed) {
      const waited = showMs(performance.now() - this.#startMs);
      const line = `parkade: ${text}, waited ${waited}`.slice(0, (process.stderr.columns ?? 80) - 1);
      process.stderr.write(`${clear}${noWrap}${line}${wrap}`);
      this.#shown = true;
    }
  }
}

/** xargs, nohup and shells that start something in the background give it /dev/null to read. */
function isUnattended(): boolean {
  try {
    return !process.stdin.isTTY && fstatSync(0).isCharacterDevice();
  } catch {
    return true; // it is closed
  }
}

/** Whether somebody else has the terminal now, as after `bg`. Where the system does not tell, nobody has. */
function isInBackground(): boolean {
  try {
    const afterName = readFileSync('/proc/self/stat', 'utf8').replace(/^.*\)/s, '');
    const [, , , group, , , foreground] = afterName.split(' ');
    return group !== foreground;
  } catch {
    return false;
  }
}
