/**
 * What parkade needs of a Redis client library, and no more. An adapter makes it of one library's connection;
 * `ioredis.ts` is the one for ioredis and what has its shape.
 */
export interface RedisConnection {
  /** Where it leads, for messages to humans; without a password. */
  readonly address: string;
  /** Whether a command sent now goes out now. A connection that was never opened opens on the first look. */
  isReady(): boolean;
  /** Why it is not ready, if it said so. */
  lastError(): Error | undefined;
  /**
   * A call that was sent at this time (`performance.now()`) was not answered. If nothing at all was heard since, an own
   * connection is opened anew; a borrowed one is its owner's business.
   */
  suspect(sinceMs: number): void;
  evalsha(sha: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  eval(text: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  /** The server section of INFO. */
  serverInfo(): Promise<string>;
  /** A second connection to the same server that hears one channel. */
  openSubscriber(channel: string, events: SubscriberEvents): Subscriber;
  /** Closes what was opened here; a borrowed connection stays open. Never rejects. */
  close(): Promise<void>;
}

export interface ConnectionEvents {
  /** The connection can be used, for the first time or again. */
  ready(): void;
  error(error: Error): void;
}

export interface SubscriberEvents {
  /** Subscribed, for the first time or again: messages arrive from now on, earlier ones may be lost. */
  listening(): void;
  message(text: string): void;
  error(error: Error): void;
}

export interface Subscriber {
  close(): void;
}
