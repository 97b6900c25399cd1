import type { Clock } from '../clock.ts';
import type { RedisConnection, Subscriber } from './connection.ts';
import { channelOf, shardChannelOf, shardMark } from './keys.ts';
import { type Grant, grantsOf } from './store.ts';

/** A message: what waiters of one semaphore were granted. A hint, which may be lost, late or doubled. */
export interface WakeUp {
  readonly semaphore: string;
  readonly epoch: number;
  /** The server's time when it was sent, ms. */
  readonly nowMs: number;
  readonly limit: number;
  readonly grants: readonly Grant[];
}

export interface WakeUpEvents {
  wakeUp(message: WakeUp): void;
  /** Messages arrive from now on, of all semaphores or of this one; what was sent before may be lost, so look. */
  listening(semaphore?: string): void;
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
  /** Of the last grants that messages told, the records. */
  readonly #lately = new Set<string>();
  /** How often in a row the subscriber was replaced without hearing anything: each time it gets twice as long. */
  #replaced = 0;
  /** Semaphores by the shard channels on which they are heard. */
  readonly #shards = new Map<string, string>();
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

  /** Hears the messages of a semaphore; opens the subscriber if there is none. */
  listen(semaphore?: string): void {
    if (this.#closed) {
      return;
    }
    if (semaphore !== undefined && this.#clientId.endsWith(shardMark)) {
      const channel = shardChannelOf(this.#prefix, semaphore, this.#clientId);
      this.#shards.set(channel, semaphore);
      this.#subscriber?.hearShard(channel);
    }
    this.#subscriber ??= this.#open();
  }

  /** A semaphore is not used here any more. */
  forget(semaphore: string): void {
    const channel = shardChannelOf(this.#prefix, semaphore, this.#clientId);
    if (this.#shards.delete(channel)) {
      this.#subscriber?.leaveShard(channel);
    }
  }

  /** A grant was found whose message has not come yet. */
  miss(record: string): void {
    const subscriber = this.#subscriber;
    if (this.#lately.has(record)) {
      return; // its message came first
    }
    this.#missing.add(record);
    this.#clock.after(this.#graceMs * 2 ** this.#replaced, () => {
      if (this.#missing.delete(record) && subscriber !== undefined && subscriber === this.#subscriber) {
        this.#missing.clear();
        this.#replaced = Math.min(this.#replaced + 1, 10);
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

  #open(): Subscriber {
    const subscriber = this.#connection.openSubscriber(channelOf(this.#prefix, this.#clientId), {
      listening: (shard) => this.#events.listening(shard && this.#shards.get(shard)),
      message: (text) => this.#receive(text),
      error: (error) => this.#events.error(error),
    });
    for (const channel of this.#shards.keys()) {
      subscriber.hearShard(channel);
    }
    return subscriber;
  }

  #receive(text: string): void {
    const message = decode(this.#clientId, text);
    if (message === undefined) {
      this.#events.error(
        new Error(`A message on parkade's own channel is none of its: ${text.slice(0, 100)}`),
      );
      return;
    }
    this.#replaced = 0;
    for (const { record } of message.grants) {
      this.#missing.delete(record);
      this.#lately.add(record);
    }
    for (const record of this.#lately) {
      if (this.#lately.size <= 100) {
        break;
      }
      this.#lately.delete(record);
    }
    this.#events.wakeUp(message);
  }
}

/** Anybody may publish on a channel, so what comes is not trusted to be a message. */
function decode(clientId: string, text: string): WakeUp | undefined {
  try {
    const [semaphore, epoch, nowUs, limit, flat] = JSON.parse(text);
    if (typeof semaphore !== 'string' || !Array.isArray(flat)) {
      return undefined;
    }
    const grants = grantsOf(clientId, flat);
    const numbers = [epoch, nowUs, limit, ...grants.flatMap((grant) => [grant.token, grant.expiresAtMs])];
    return numbers.every(Number.isFinite)
      ? { semaphore, epoch, nowMs: nowUs / 1000, limit, grants }
      : undefined;
  } catch {
    return undefined;
  }
}
