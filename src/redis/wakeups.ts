import type { Clock } from '../clock.ts';
import type { RedisConnection, Subscriber } from './connection.ts';
import { channelOf } from './keys.ts';
import { type Grant, grantsOf } from './store.ts';

/** A message: what waiters of one semaphore were granted. A hint, which may be lost, late or doubled. */
export interface WakeUp {
  readonly semaphore: string;
  readonly epoch: number;
  readonly limit: number;
  readonly grants: readonly Grant[];
}

export interface WakeUpEvents {
  wakeUp(message: WakeUp): void;
  /** Messages arrive from now on; what was sent before may be lost, so look. */
  listening(): void;
  error(error: Error): void;
}

/**
 * The one subscriber of a client, for all its semaphores; opened when something waits for the first time. A grant
 * that was found otherwise although its message should have come puts the subscriber under suspicion: if the
 * message does not come within a grace time either, the connection is dead without knowing it, and is replaced.
 */
export class WakeUps {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #clientId: string;
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #events: WakeUpEvents;
  readonly #missing = new Set<string>();
  #subscriber: Subscriber | undefined;
  #closed = false;

  constructor(
    connection: RedisConnection,
    prefix: string,
    clientId: string,
    clock: Clock,
    graceMs: number,
    events: WakeUpEvents,
  ) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#clientId = clientId;
    this.#clock = clock;
    this.#graceMs = graceMs;
    this.#events = events;
  }

  /** Opens the subscriber if there is none. */
  listen(): void {
    if (this.#closed || this.#subscriber !== undefined) {
      return;
    }
    this.#subscriber = this.#connection.openSubscriber(channelOf(this.#prefix, this.#clientId), {
      listening: () => this.#events.listening(),
      message: (text) => this.#receive(text),
      error: (error) => this.#events.error(error),
    });
  }

  /** A grant was found whose message has not come yet. */
  miss(record: string): void {
    const subscriber = this.#subscriber;
    this.#missing.add(record);
    this.#clock.after(this.#graceMs, () => {
      if (this.#missing.delete(record) && subscriber !== undefined && subscriber === this.#subscriber) {
        this.#missing.clear();
        subscriber.close();
        this.#subscriber = undefined;
        this.listen();
      }
    });
  }

  close(): void {
    this.#closed = true;
    this.#subscriber?.close();
    this.#subscriber = undefined;
  }

  #receive(text: string): void {
    const message = decode(this.#clientId, text);
    if (message === undefined) {
      this.#events.error(
        new Error(`A message on parkade's own channel is none of its: ${text.slice(0, 100)}`),
      );
      return;
    }
    for (const grant of message.grants) {
      this.#missing.delete(grant.record);
    }
    this.#events.wakeUp(message);
  }
}

/** Anybody may publish on a channel, so what comes is not trusted to be a message. */
function decode(clientId: string, text: string): WakeUp | undefined {
  try {
    const [semaphore, epoch, , limit, flat] = JSON.parse(text);
    if (typeof semaphore !== 'string' || !Array.isArray(flat)) {
      return undefined;
    }
    const grants = grantsOf(clientId, flat);
    const numbers = [epoch, limit, ...grants.flatMap((grant) => [grant.token, grant.expiresAtMs])];
    return numbers.every(Number.isFinite) ? { semaphore, epoch, limit, grants } : undefined;
  } catch {
    return undefined;
  }
}
