import { ClusterSubscriber } from './cluster-subscriber.ts';
import type {
  ConnectionEvents,
  Keyspace,
  RedisConnection,
  Subscriber,
  SubscriberEvents,
} from './connection.ts';
import { type Dialling, pauseMs } from './dialling.ts';
import { suspectNode, viewOf, watchNodes } from './ioredis-cluster.ts';
import { type IoredisLike, isCluster, letProcessEnd } from './ioredis-like.ts';
import { literally } from './keys.ts';
import { ReplicatedCalls } from './replicated-calls.ts';
import { greetingMs, watchSilence } from './silence.ts';
import type { RedisTarget } from './url.ts';

/** Of the library, what a connection of our own is made by. */
export interface IoredisLibrary {
  readonly Redis: new (target: string | object, options?: object) => unknown;
  readonly Cluster: new (nodes: object[], options: object) => unknown;
}

/** Connects to where a url leads. */
export function connectByIoredis(
  library: IoredisLibrary,
  target: RedisTarget,
  events: ConnectionEvents,
  dialling: Dialling,
): RedisConnection {
  const own = make(library, target, dialling) as IoredisLike;
  if (target.kind !== 'cluster') {
    letProcessEnd(own);
  }
  return adaptIoredis(own, true, events);
}

function make({ Redis, Cluster }: IoredisLibrary, target: RedisTarget, dialling: Dialling): unknown {
  const retryStrategy = (attempt: number) => pauseMs(attempt, dialling.pauseMs);
  const patience = {
    connectTimeout: dialling.attemptMs,
    disconnectTimeout: dialling.pauseMs,
    maxLoadingRetryTime: dialling.pauseMs,
  };
  const options = {
    ...patience,
    maxRetriesPerRequest: null, // every call has its own limit of time
    retryStrategy,
    sentinelRetryStrategy: retryStrategy,
    sentinelCommandTimeout: greetingMs, // ioredis would wait for one that hangs for ever, and ask no other
    reconnectOnError: (error: Error) => error.message.includes('READONLY'), // demoted: find the new primary
    connectionName: 'parkade',
  };
  switch (target.kind) {
    case 'socket':
      return new Redis(target.path, options);
    case 'server': {
      const { url, tls } = target;
      return tls === undefined
        ? new Redis(url, options)
        : new Redis(url.replace(/^rediss:/i, 'redis:'), { ...options, tls }); // else the url's plain `true` wins
    }
    case 'sentinel': {
      const { kind: _, group, tls, ...where } = target;
      const secure = tls && { tls, sentinelTLS: tls, enableTLSForSentinelMode: true };
      return new Redis({ ...options, ...where, ...secure, name: group });
    }
    case 'cluster': {
      const { kind: _, nodes, ...access } = target;
      return new Cluster(nodes, {
        clusterRetryStrategy: retryStrategy,
        ...(access.tls && { dnsLookup: keepName }),
        redisOptions: { ...patience, ...access, connectionName: 'parkade' },
      });
    }
  }
}

/** Certificates are made out to names, so these are not looked up beforehand. */
const keepName = (host: string, done: (error: null, address: string) => void) => done(null, host);

/** A connection of ioredis or what has its shape; closed with the client if it is its own. */
export function adaptIoredis(redis: IoredisLike, own: boolean, events: ConnectionEvents): RedisConnection {
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
  const replicated = new ReplicatedCalls(redis);
  const { sentinels } = redis.options as { sentinels?: unknown }; // null where there are none
  const silence = !cluster && (own || sentinels) ? watchSilence(redis) : undefined;
  return {
    address: addressOf(redis),
    isCluster: cluster !== undefined,
    isReady() {
      if (redis.status === 'wait') {
        redis.connect().catch(onError); // made with lazyConnect, and not used yet
      }
      return redis.status === 'ready';
    },
    isReply: (error) => error instanceof Error && error.name === 'ReplyError',
    lastError: () => lastError,
    suspect: (forMs) => silence?.suspect(forMs),
    evalsha: (sha, keys, args) => timed(redis.evalsha(sha, keys.length, ...keys, ...args)),
    eval: (text, keys, args) => timed(redis.eval(text, keys.length, ...keys, ...args)),
    replicated: (replicas, forMs) => replicated.of(replicas, forMs),
    serverInfo: () => timed(redis.info('server')),
    keyspaces: () => (cluster ? cluster.nodes('master') : [redis]).map((node) => keyspaceOf(node, redis)),
    openSubscriber: (channel, listener) =>
      cluster
        ? new ClusterSubscriber(viewOf(cluster), channel, listener)
        : openSubscriber(redis, channel, listener),
    async close() {
      redis.off('ready', onReady);
      redis.off('error', onError);
      stopWatching?.();
      silence?.stop();
      replicated.close();
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

function openSubscriber(redis: IoredisLike, channel: string, events: SubscriberEvents): Subscriber {
  const overrides = {
    autoResubscribe: false, // ioredis's own way of it throws unhandled rejections
    lazyConnect: false,
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    retryStrategy: (attempt: number) => pauseMs(attempt),
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
