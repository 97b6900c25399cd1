/** What a client or a Sentinel of node-redis (`redis` 6) looks like from here. */
export interface NodeRedisLike {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: the library types commands by modules, functions, scripts and mappings
  evalSha(sha: string, options?: any): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  eval(text: string, options?: any): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  on(event: string, listener: (...args: any[]) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off(event: string, listener: (...args: any[]) => void): unknown;
  connect(): Promise<unknown>;
  destroy(): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  duplicate(overrides?: any): any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  subscribe(channels: any, listener: (message: string, channel: string) => unknown): Promise<unknown>;
}

/** What both have besides; not in the type that users see, where it would only be in the way. */
export interface NodeRedis extends NodeRedisLike {
  /** The library's own; it is put before keys, but not before channels. */
  readonly _keyPrefix?: string;
  withCommandOptions(options: object): NodeRedis;
  duplicate(overrides?: object): NodeRedis;
  unsubscribe(channel: string): Promise<unknown>;
}

/** A client of one server. */
export interface NodeRedisClient extends NodeRedis {
  readonly options: {
    readonly socket?: { readonly host?: string; readonly port?: number; readonly path?: string };
  };
  duplicate(overrides?: object): NodeRedisClient;
  info(section: string): Promise<unknown>;
  scan(
    cursor: string,
    options: { MATCH: string; COUNT: number; TYPE: string },
  ): Promise<{ cursor: unknown; keys: unknown[] }>;
  unref(): void;
}

export interface NodeRedisSentinel extends NodeRedis {
  getMasterNode(): { readonly host: string; readonly port: number } | undefined;
  duplicate(overrides?: object): NodeRedisSentinel;
  info(section: string): Promise<unknown>;
  scan: NodeRedisClient['scan'];
}

export function isNodeRedisLike(target: unknown): target is NodeRedisLike {
  const shape = target as Partial<NodeRedis> | null | undefined;
  return (
    typeof shape === 'object' &&
    shape !== null &&
    typeof shape.isOpen === 'boolean' &&
    typeof shape.isReady === 'boolean' &&
    typeof shape.evalSha === 'function' &&
    typeof shape.duplicate === 'function' &&
    typeof shape.subscribe === 'function' && // a pool has not
    typeof shape.withCommandOptions === 'function'
  );
}

export function isCluster(redis: NodeRedis): boolean {
  return 'nodeClient' in redis && 'masters' in redis;
}

export function isSentinel(redis: NodeRedis): redis is NodeRedisSentinel {
  return 'getMasterNode' in redis;
}
