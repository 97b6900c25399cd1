import type { NodeRedis } from './node-redis-like.ts';
import { openOnce } from './once.ts';

/** Half of the wait is chance, so that many clients don't come back at the same moment. */
const pauseMs = (failures: number) =>
  Math.min(2000, 50 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2);

export interface RedialEvents<Client> {
  ready(client: Client): void;
  error(error: Error): void;
}

/** One client of node-redis after the other: each is used until something happens to it. */
export class Redial<Client extends NodeRedis> {
  readonly #make: () => Client;
  readonly #patienceMs: number | undefined;
  readonly #events: RedialEvents<Client>;
  #ready: Client | undefined;
  #giveUp: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isClosed = false;

  constructor(make: () => Client, events: RedialEvents<Client>, patienceMs?: number) {
    this.#make = make;
    this.#events = events;
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
    this.#timer = setTimeout(() => this.#open(), pauseMs(this.#failures++)).unref();
  }
}
