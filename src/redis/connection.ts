/** Runs scripts, by their hash or their text. */
export interface ScriptCalls {
  evalsha(sha: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  eval(text: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
}

/**
 * What parkade needs of a Redis client library, and no more. An adapter makes it of one library's connection; `ioredis.ts`
 * and `node-redis.ts` are the two.
 */
export interface RedisConnection extends ScriptCalls {
  /** Where it leads, for messages to humans; without a password. */
  readonly address: string;
  /** Whether it is to a Cluster, where messages may travel inside the slot of their semaphore. */
  readonly isCluster: boolean;
  /** Whether a command sent now goes out now. A connection that was never opened opens on the first look. */
  isReady(): boolean;
  /** Whether a call was rejected by Redis itself, and not by the library or the network. */
  isReply(error: unknown): boolean;
  /** Why it is not ready, if it said so. */
  lastError(): Error | undefined;
  /**
   * A call was not answered for so long, ms. If nothing at all was heard for that time, an own
   * connection is opened anew, and one to a Sentinel group, since another primary may have taken over. Any other that
   * is borrowed is its owner's business; a Cluster looks after its nodes by itself.
   */
  suspect(forMs: number): void;
  /**
   * The same calls over another connection. They resolve with a `Replied`, whose promise says how many replicas have what
   * was written, when so many have, or after `forMs`. They fail with the connection: nothing is sent again.
   */
  replicated(replicas: number, forMs: number): ScriptCalls;
  /** The server section of INFO. */
  serverInfo(): Promise<string>;
  /** Where keys are: each primary of a Cluster as it is known now, or the one server. */
  keyspaces(): readonly Keyspace[];
  /** A second connection to the same server that hears the client's own channel; on a Cluster, to one or more nodes. */
  openSubscriber(channel: string, events: SubscriberEvents): Subscriber;
  /** Closes what was opened here; a borrowed connection stays open. Never rejects. */
  close(): Promise<void>;
}

/** The keys of one server. */
export interface Keyspace {
  /**
   * One step of SCAN over the hashes whose key fits a pattern. `'0'` begins, and ends when it is the answer; steps may
   * answer a key twice, or none.
   */
  scanHashes(cursor: string, pattern: string, count: number): Promise<{ cursor: string; keys: string[] }>;
}

export interface ConnectionEvents {
  /**
   * The connection can be used, for the first time or again, and what was under way may be executed twice. On a Cluster
   * also when it was usable all the time, but for one node.
   */
  ready(): void;
  error(error: Error): void;
}

export interface SubscriberEvents {
  /** Subscribed, for the first time or again: messages arrive from now on, earlier ones may be lost. */
  listening(shard?: string): void;
  message(text: string): void;
  error(error: Error): void;
}

export interface Subscriber {
  /** On a Cluster, hears this shard channel too, where its slot is; asking twice is asking once. Else does nothing. */
  hearShard(channel: string): void;
  leaveShard(channel: string): void;
  close(): void;
}
