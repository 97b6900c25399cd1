import type { Socket } from 'node:net';
import { Redis } from 'ioredis';
import { InvalidOptionsError } from '../errors.ts';
import type { ConnectionEvents, RedisConnection, SubscriberEvents } from './connection.ts';

/** What an ioredis `Redis` or `Cluster` (5 or 6) or an iovalkey connection looks like from here. */
export interface IoredisLike {
  readonly status: string;
  readonly options: object;
  evalsha(sha: string, keyCount: number, ...args: (string | number)[]): Promise<unknown>;
  eval(text: string, keyCount: number, ...args: (string | number)[]): Promise<unknown>;
  info(section: string): Promise<string>;
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

/** Half of the wait is chance, so that many clients don't come back at the same moment. */
const retryStrategy = (attempt: number) =>
  Math.min(2000, 50 * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random() / 2);

/**
 * Connects to a url (`redis://`, `rediss://`, `unix://` or a socket's path), or borrows a connection of the caller's.
 *
 * @throws InvalidOptionsError if it is neither.
 */
export function connect(target: string | IoredisLike, events: ConnectionEvents): RedisConnection {
  if (typeof target === 'string') {
    const own: IoredisLike = new Redis(checkedUrl(target), {
      maxRetriesPerRequest: null, // every call has its own limit of time
      retryStrategy,
      reconnectOnError: (error) => error.message.includes('READONLY'), // demoted: find the new primary
      connectionName: 'parkade',
    });
    letProcessEnd(own);
    return { ...adapt(own, true, events), suspect: replaceWhenSilent(own) };
  }
  if (!isIoredisLike(target)) {
    throw new InvalidOptionsError('Bad connection', [
      `it is ${target === null ? 'null' : `a ${typeof target}`}, allowed is a redis:// or rediss:// url, or a connection of ioredis (5 or 6) or iovalkey`,
    ]);
  }
  return adapt(target, false, events);
}

function adapt(redis: IoredisLike, own: boolean, events: ConnectionEvents): RedisConnection {
  let lastError: Error | undefined;
  const onReady = () => {
    lastError = undefined;
    events.ready();
  };
  const onError = (error: Error) => {
    lastError = error;
    events.error(error);
  };
  redis.on('ready', onReady);
  redis.on('error', onError);
  return {
    address: addressOf(redis),
    isReady() {
      if (redis.status === 'wait') {
        redis.connect().catch(onError); // made with lazyConnect, and not used yet
      }
      return redis.status === 'ready';
    },
    lastError: () => lastError,
    suspect: ignore,
    evalsha: (sha, keys, args) => redis.evalsha(sha, keys.length, ...keys, ...args),
    eval: (text, keys, args) => redis.eval(text, keys.length, ...keys, ...args),
    serverInfo: () => redis.info('server'),
    openSubscriber: (channel, listener) => openSubscriber(redis, channel, listener),
    async close() {
      redis.off('ready', onReady);
      redis.off('error', onError);
      if (own) {
        redis.on('error', ignore);
        redis.disconnect();
      }
    },
  };
}

function openSubscriber(redis: IoredisLike, channel: string, events: SubscriberEvents) {
  const overrides = {
    autoResubscribe: false, // ioredis's own way of it throws unhandled rejections
    lazyConnect: false,
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    retryStrategy,
    connectionName: 'parkade-subscriber',
  };
  const subscriber = 'nodes' in redis ? redis.duplicate() : redis.duplicate(overrides);
  let open = true;
  letProcessEnd(subscriber);
  subscriber.on('error', (error: Error) => open && events.error(error));
  subscriber.on('message', (_channel: string, text: string) => open && events.message(text));
  subscriber.on('ready', () => {
    subscriber.subscribe(channel).then(
      () => open && events.listening(),
      (error: Error) => open && events.error(error),
    );
  });
  return {
    close() {
      open = false;
      subscriber.disconnect();
    },
  };
}

/** Destroys a socket on which nothing was heard since a given time; ioredis then opens another and re-sends. */
function replaceWhenSilent(redis: IoredisLike): (sinceMs: number) => void {
  const inside = redis as { stream?: Socket };
  let heardAtMs = Number.NEGATIVE_INFINITY;
  redis.on('connect', () => {
    heardAtMs = performance.now();
    inside.stream?.on('data', () => {
      heardAtMs = performance.now();
    });
  });
  return (sinceMs) => {
    if (heardAtMs < sinceMs) {
      inside.stream?.destroy();
    }
  };
}

/**
 * Keeps an idle connection from keeping the process alive: its socket, and the timer for the next attempt when
 * Redis is away. Both are ioredis's own fields; where they are missing, the process lives on until `close()`.
 */
function letProcessEnd(redis: IoredisLike): void {
  const inside = redis as { stream?: { unref?(): void }; reconnectTimeout?: { unref?(): void } | null };
  redis.on('connect', () => inside.stream?.unref?.());
  redis.on('reconnecting', () => inside.reconnectTimeout?.unref?.());
}

function isIoredisLike(target: unknown): target is IoredisLike {
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

function checkedUrl(text: string): string {
  if (text.startsWith('/')) {
    return text;
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['redis:', 'rediss:', 'unix:'].includes(url.protocol)) {
    const shown = text.replace(/\/\/[^@/]*@/, '//…@').slice(0, 80);
    throw new InvalidOptionsError('Bad connection', [
      `the url is '${shown}', allowed is redis://host:port, rediss://host:port (TLS) or unix:///path`,
    ]);
  }
  return url.protocol === 'unix:' ? url.pathname : text;
}

function addressOf(redis: IoredisLike): string {
  const options = redis.options as {
    host?: string;
    port?: number;
    path?: string;
    sentinels?: object;
    name?: string;
  };
  if ('nodes' in redis) {
    return 'the Redis Cluster';
  }
  if (options.sentinels) {
    return `Sentinel group '${options.name}'`;
  }
  return options.path ?? `${options.host ?? 'localhost'}:${options.port ?? 6379}`;
}

function ignore(): void {}
