import { Redis } from 'ioredis';
import { InvalidOptionsError } from '../errors.ts';
import { ClusterSubscriber } from './cluster-subscriber.ts';
import type {
  ConnectionEvents,
  Keyspace,
  RedisConnection,
  Subscriber,
  SubscriberEvents,
} from './connection.ts';
import {
  type ClusterLike,
  type IoredisLike,
  isCluster,
  isIoredisLike,
  letProcessEnd,
} from './ioredis-like.ts';
import { literally } from './keys.ts';
import { watchSilence } from './silence.ts';

export type { IoredisLike } from './ioredis-like.ts';

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
    return adapt(own, true, events);
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
  const cluster = isCluster(redis) ? redis : undefined;
  const stopWatching = cluster && watchNodes(cluster, () => cluster.status === 'ready' && events.ready());
  const timed = cluster ? <T>(call: Promise<T>) => suspectNode(cluster, call) : <T>(call: Promise<T>) => call;
  const silence = own || 'sentinels' in redis.options ? watchSilence(redis) : undefined;
  return {
    address: addressOf(redis),
    isCluster: cluster !== undefined,
    isReady() {
      if (redis.status === 'wait') {
        redis.connect().catch(onError); // made with lazyConnect, and not used yet
      }
      return redis.status === 'ready';
    },
    lastError: () => lastError,
    suspect: (forMs) => silence?.suspect(forMs),
    evalsha: (sha, keys, args) => timed(redis.evalsha(sha, keys.length, ...keys, ...args)),
    eval: (text, keys, args) => timed(redis.eval(text, keys.length, ...keys, ...args)),
    serverInfo: () => timed(redis.info('server')),
    keyspaces: () => (cluster ? cluster.nodes('master') : [redis]).map((node) => keyspaceOf(node, redis)),
    openSubscriber: (channel, listener) =>
      cluster ? new ClusterSubscriber(cluster, channel, listener) : openSubscriber(redis, channel, listener),
    async close() {
      redis.off('ready', onReady);
      redis.off('error', onError);
      stopWatching?.();
      silence?.stop();
      if (own) {
        redis.on('error', ignore);
        redis.disconnect();
      }
    },
  };
}

/** @param owner the connection whose `keyPrefix` is put before keys everywhere but here */
function keyspaceOf(node: IoredisLike, owner: IoredisLike): Keyspace {
  const { keyPrefix = '' } = owner.options as { keyPrefix?: string };
  return {
    async scanHashes(cursor, pattern, count) {
      const match = `${literally(keyPrefix)}${pattern}`;
      const [next, keys] = await node.scan(cursor, 'MATCH', match, 'COUNT', count, 'TYPE', 'hash');
      return { cursor: next, keys: keys.map((key) => key.slice(keyPrefix.length)) };
    },
  };
}

/**
 * Tells when the connection to a node of a Cluster was lost: the Cluster's own events don't. Commands that were on it
 * go out again to whoever has the slot then.
 *
 * @returns the way to stop
 */
function watchNodes(cluster: ClusterLike, lost: () => void): () => void {
  const watched = new Set<IoredisLike>();
  const watch = (node: IoredisLike) => {
    if (!watched.has(node)) {
      watched.add(node);
      node.on('close', lost);
    }
  };
  const unwatch = (node: IoredisLike) => {
    watched.delete(node);
    node.off('close', lost);
  };
  cluster.on('+node', watch);
  cluster.on('-node', unwatch);
  cluster.nodes().forEach(watch);
  return () => {
    cluster.off('+node', watch);
    cluster.off('-node', unwatch);
    watched.forEach(unwatch);
  };
}

/** A node that takes longer may hang, ms; and another one may have taken over. */
const suspectNodeAfterMs = 1_000;

/**
 * Has the Cluster ask who has which slots if a call is not answered in time; a node that is down is left then, and what
 * it did not answer goes to another. ioredis does so only on an error, and a node that hangs makes none.
 */
function suspectNode<T>(cluster: ClusterLike, call: Promise<T>): Promise<T> {
  const timer = setTimeout(() => cluster.refreshSlotsCache(), suspectNodeAfterMs).unref();
  const stop = () => clearTimeout(timer);
  call.then(stop, stop);
  return call;
}

function openSubscriber(redis: IoredisLike, channel: string, events: SubscriberEvents): Subscriber {
  const overrides = {
    autoResubscribe: false, // ioredis's own way of it throws unhandled rejections
    lazyConnect: false,
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    retryStrategy,
    connectionName: 'parkade-subscriber',
  };
  const subscriber = redis.duplicate(overrides);
  let open = true;
  letProcessEnd(subscriber);
  const silence = watchSilence(subscriber);
  subscriber.on('error', (error: Error) => open && events.error(error));
  subscriber.on('message', (_channel: string, text: string) => open && events.message(text));
  subscriber.on('ready', () => {
    subscriber.subscribe(channel).then(
      () => open && events.listening(),
      (error: Error) => open && events.error(error),
    );
  });
  return {
    hearShard: ignore,
    leaveShard: ignore,
    close() {
      open = false;
      silence.stop();
      subscriber.disconnect();
    },
  };
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
  if (isCluster(redis)) {
    return 'the Redis Cluster';
  }
  if (options.sentinels) {
    return `Sentinel group '${options.name}'`;
  }
  return options.path ?? `${options.host ?? 'localhost'}:${options.port ?? 6379}`;
}

function ignore(): void {}
