import type { ConnectionOptions } from 'node:tls';

/** What a `SemaphoreClient` can be told. Times are integers, in ms. */
export interface SemaphoreClientOptions {
  /** First part of every key and channel: up to 50 characters, no braces and control characters. Default `'parkade'`. */
  prefix?: string | undefined;
  /** The readable part of the client's id, in place of `host:pid`: up to 50 characters, as `prefix`, and no slashes. */
  label?: string | undefined;
  /**
   * For how long a client that says nothing keeps its places in line, in ms, ≥ 100. Default 10,000. A live client
   * checks in every third of it. Give all clients of a semaphore the same. Over a connection that is lent, it should be
   * more than twice as long as that one's longest pause between two attempts to connect.
   */
  presenceMs?: number | undefined;
  /** TTL of a semaphore's keys, in ms, ≥ 1,000, counted from its last use; never shorter than a lease. Default a day. */
  retentionMs?: number | undefined;
  /** How long Redis may be away before a call gives up with `RedisUnavailableError`, in ms, ≥ 1. Default 10,000. */
  unavailableAfterMs?: number | undefined;
  /** How long one attempt waits for its reply before it is made again, in ms, ≥ 10. Default 2,000. */
  attemptTimeoutMs?: number | undefined;
  /** How to do TLS where the url asks for it: as `tls.connect` has it, such as `{ ca }`. Not for a borrowed connection. */
  tls?: ConnectionOptions | undefined;
}

/**
 * What happens when another process declared another limit for the same semaphore: an acquire rejects with
 * `LimitMismatchError`, takes the limit that is there, or sets its own for everyone.
 */
export type OnLimitMismatch = 'error' | 'adopt' | 'resize';

/** What a semaphore can be told. Leases and renewal are the handle's own; the limit is everyone's. Times are integers, in ms. */
export interface SemaphoreOptions {
  /** How many units the semaphore has, an integer ≥ 0. */
  limit: number;
  /** For how long a permit is valid unless renewed, in ms, ≥ 100. Default 30,000. */
  leaseMs?: number | undefined;
  /** Whether permits are renewed, every third of their lease, until released. Default `true`. */
  renew?: boolean | undefined;
  /** Stop renewing a permit after this time, in ms, ≥ 1; it is then lost when its lease ends. Default: never. */
  maxHoldMs?: number | undefined;
  /** How many may wait, over all processes, an integer ≥ 0; one more is refused with `QueueFullError`. Default: any number. */
  maxWaiting?: number | undefined;
  /**
   * A grant is handed out only when so many replicas have acknowledged it, an integer ≥ 0; else it is given back, and
   * `acquire` rejects with `NotReplicatedError`. Makes it unlikely, not impossible, that a failover forgets it. Needs a
   * connection of ioredis: over one of node-redis `acquire` rejects with `InvalidOptionsError`. Default 0.
   */
  minReplicas?: number | undefined;
  /** How long the replicas have for that, in ms, ≥ 10. Default 1,000. */
  replicaTimeoutMs?: number | undefined;
  /** What happens when another process declared another limit. Default `'error'`. */
  onLimitMismatch?: OnLimitMismatch | undefined;
}

/** What a handle declares of the semaphore. */
export interface Declaration {
  readonly limit: number;
  readonly onLimitMismatch: OnLimitMismatch;
}

/** What one attempt to take a permit can be told. */
export interface TryAcquireOptions {
  /** How many units to take, an integer ≥ 1. Default 1. */
  weight?: number | undefined;
  /** Instead of the semaphore's own, in ms, ≥ 100. */
  leaseMs?: number | undefined;
  /** Instead of the semaphore's own. */
  renew?: boolean | undefined;
}

/** What one acquire can be told. */
export interface AcquireOptions extends TryAcquireOptions {
  /** Give up after this time, in ms; 0 is one attempt without waiting. Default: wait as long as it takes. */
  timeoutMs?: number | undefined;
  /** Give up when this aborts, with its reason. */
  signal?: AbortSignal | undefined;
}

/** Which part of a large semaphore a snapshot lists. */
export interface InspectOptions {
  /** How many holders, and how many waiters, to list at most; 1 to 10,000. Default 100. */
  pageSize?: number | undefined;
  /** Which page of them, an integer ≥ 0. Default 0. */
  page?: number | undefined;
}

/** Which semaphores to find, and how gently. */
export interface ListOptions {
  /** Only names that fit this pattern, as in Redis: `*`, `?`, `[abc]`, and a backslash before what is meant literally. */
  match?: string | undefined;
  /** How many keys of the database Redis walks past in one step; 1 to 10,000. Default 1,000. */
  stepSize?: number | undefined;
  /** How long to leave Redis alone between two steps, in ms, ≥ 0. Default 5. */
  pauseMs?: number | undefined;
}
