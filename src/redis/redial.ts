import { pauseMs } from './dialling.ts';
import type { NodeRedis } from './node-redis-like.ts';
import { openOnce } from './once.ts';

export interface RedialEvents<Client> {
  ready(client: Client): void;
  error(error: Error): void;
}

/** One client of node-redis after the other: each is used until something happens to it. */
export class Redial<Client extends NodeRedis> {
  readonly #make: () => Client;
  readonly #longestPauseMs: number | undefined;
  readonly #patienceMs: number | undefined;
  readonly #events: RedialEvents<Client>;
  #ready: Client | undefined;
  #giveUp: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isClosed = false;

  constructor(
    make: () => Client,
    events: RedialEvents<Client>,
    longestPauseMs?: number,
    patienceMs?: number,
  ) {
    this.#make = make;
    this.#events = events;
    this.#longestPauseMs = longestPauseMs;
    this.#patienceMs = patienceMs;
    this.#open();
  }

  /** The one that is ready now. */
  get ready(): Client | undefined {
    return this.#ready;
  }

  /** Replaces the one that is ready. */
  again(): void {
    if (this.#ready !== undefined && !this.#isClosed) {
      this.#giveUp?.();
      this.#openLater();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#ready = undefined;
    clearTimeout(this.#timer);
    this.#giveUp?.();
  }

  #open(): void {
    const client = this.#make();
    this.#giveUp = openOnce(
      client,
      {
        ready: () => {
          this.#ready = client;
          this.#failures = 0;
          this.#events.ready(client);
        },
        failed: (error) => {
          this.#openLater();
          if (error !== undefined) {
            this.#events.error(error);
          }
        },
      },
      this.#patienceMs,
    );
  }

  #openLater(): void {
    this.#ready = undefined;
    clearTimeout(this.#timer);
    const ms = pauseMs(this.#failures++, this.#longestPauseMs);
    this.#timer = setTimeout(() => this.#open(), ms).unref();
  }
}
