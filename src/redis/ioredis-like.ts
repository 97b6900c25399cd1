/** What an ioredis `Redis` or `Cluster` (5 or 6) or an iovalkey connection looks like from here. */
export interface IoredisLike {
  readonly status: string;
  readonly options: object;
  evalsha(sha: string, keyCount: number, ...args: (string | number)[]): Promise<unknown>;
  eval(text: string, keyCount: number, ...args: (string | number)[]): Promise<unknown>;
  wait(replicas: number, forMs: number): Promise<number>;
  info(section: string): Promise<string>;
  /** On a Cluster's node, or a connection to one server. */
  // biome-ignore lint/suspicious/noExplicitAny: the libraries type each combination of its options
  scan(cursor: string, ...options: any[]): Promise<[cursor: string, keys: string[]]>;
  subscribe(channel: string): Promise<unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: the libraries type their events each in its own way
  on(event: string, listener: (...args: any[]) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off(event: string, listener: (...args: any[]) => void): unknown;
  connect(): Promise<unknown>;
  disconnect(): void;
  // biome-ignore lint/suspicious/noExplicitAny: Redis and Cluster take different arguments
  duplicate(...args: any[]): IoredisLike;
}

/** A connection to one node of a Cluster. */
export interface NodeLike extends IoredisLike {
  readonly options: { readonly host?: string; readonly port?: number };
  ssubscribe?(channel: string): Promise<unknown>;
  sunsubscribe?(channel: string): Promise<unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  asking?: (...args: any[]) => Promise<unknown>;
}

/** What a Cluster has besides. */
export interface ClusterLike extends IoredisLike {
  readonly options: { readonly keyPrefix?: string };
  /** By slot, the addresses (`host:port`) of the nodes that have it, the primary first; as far as it has heard. */
  readonly slots: readonly (readonly string[] | undefined)[];
  nodes(role?: 'all' | 'master' | 'slave'): NodeLike[];
  /** Asks the nodes who has which slots; a `refresh` event follows. */
  refreshSlotsCache(callback?: (error?: Error | null) => void): void;
}

export function isIoredisLike(target: unknown): target is IoredisLike {
  const shape = target as Partial<IoredisLike> | null | undefined;
  return (
    typeof shape === 'object' &&
    shape !== null &&
    typeof shape.status === 'string' &&
    typeof shape.evalsha === 'function' &&
    typeof shape.duplicate === 'function' &&
    typeof shape.on === 'function'
  );
}

export function isCluster(redis: IoredisLike): redis is ClusterLike {
  return 'nodes' in redis && 'slots' in redis && 'refreshSlotsCache' in redis;
}

/**
 * Keeps an idle connection from keeping the process alive: its socket, and the timer for the next attempt when
 * Redis is away. Both are ioredis's own fields; where they are missing, the process lives on until `close()`.
 */
export function letProcessEnd(redis: IoredisLike): void {
  const inside = redis as { stream?: { unref?(): void }; reconnectTimeout?: { unref?(): void } | null };
  redis.on('connect', () => inside.stream?.unref?.());
  redis.on('reconnecting', () => inside.reconnectTimeout?.unref?.());
}
