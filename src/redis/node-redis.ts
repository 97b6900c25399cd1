import { InvalidOptionsError } from '../errors.ts';
import type { ConnectionEvents, Keyspace, RedisConnection, Subscriber } from './connection.ts';
import type { Dialling } from './dialling.ts';
import { literally } from './keys.ts';
import {
  isCluster,
  isSentinel,
  type NodeRedis,
  type NodeRedisClient,
  type NodeRedisLike,
  type NodeRedisSentinel,
} from './node-redis-like.ts';
import { openSubscriber } from './node-redis-subscriber.ts';
import { letProcessEnd, onceOptions } from './once.ts';
import { Redial } from './redial.ts';
import type { RedisTarget } from './url.ts';

/** Of the library, what a connection of our own is made by. */
export interface NodeRedisLibrary {
  createClient(options: object): unknown;
}

/** Whatever the caller has set for his own commands: replies as they come, and no timer besides that of the attempt. */
const plainly = { typeMapping: {}, timeout: undefined };

/** Library and server both throw; only the server begins with a code in capitals. */
const isReply = (error: unknown) =>
  error instanceof Error && !('code' in error) && /^[A-Z][A-Z0-9_]+( |$)/.test(error.message);

/**
 * Connects to a server by its address, over one client after the other.
 *
 * @throws InvalidOptionsError for a Sentinel group or a Cluster
 */
export function connectByNodeRedis(
  library: NodeRedisLibrary,
  target: RedisTarget,
  events: ConnectionEvents,
  dialling: Dialling,
): RedisConnection {
  if (target.kind === 'sentinel' || target.kind === 'cluster') {
    throw new InvalidOptionsError('Bad connection', [
      `the url leads to a ${target.kind === 'cluster' ? 'Cluster' : 'Sentinel group'}, allowed with node-redis is the url of one server; install ioredis`,
    ]);
  }
  const make = () => {
    const client = library.createClient({
      ...onceOptions,
      ...(target.kind === 'server' && { url: target.url }),
      RESP: 2, // the same for every server, so that one that is too old can say so
      name: 'parkade',
      socket: {
        ...(target.kind === 'socket' ? { path: target.path } : target.tls),
        reconnectStrategy: false,
        connectTimeout: dialling.attemptMs,
      },
    }) as NodeRedisClient;
    letProcessEnd(client);
    return client;
  };
  let model: NodeRedisClient | undefined;
  const line = ownLine(
    () => {
      model = make();
      return model;
    },
    events,
    dialling.pauseMs,
  );
  return {
    ...line.connection,
    isCluster: false,
    replicated: refuseReplicated,
    openSubscriber: (channel, listener) => openSubscriber(model ?? make(), channel, listener),
  };
}

/**
 * Borrows what `createClient` or `createSentinel` of node-redis has made.
 *
 * @throws InvalidOptionsError for a Cluster of it
 */
export function adaptNodeRedis(
  borrowed: NodeRedisLike,
  events: ConnectionEvents,
  dialling: Dialling,
): RedisConnection {
  const redis = borrowed as NodeRedis;
  if (isSentinel(redis)) {
    return adaptSentinel(redis, events, dialling);
  }
  if (isCluster(redis)) {
    throw new InvalidOptionsError('Bad connection', [
      "it is a cluster of node-redis, which parkade can't use yet, allowed for a Redis Cluster is the Cluster of ioredis",
    ]);
  }
  return adaptClient(redis as NodeRedisClient, events);
}

function adaptClient(redis: NodeRedisClient, events: ConnectionEvents): RedisConnection {
  const watch = watchBorrowed(redis, ['ready'], events);
  const client = redis.withCommandOptions(plainly) as NodeRedisClient;
  return {
    ...watch.connection,
    ...callsOf(() => client),
    address: addressOf(redis),
    isCluster: false,
    replicated: refuseReplicated,
    serverInfo: async () => String(await client.info('server')),
    keyspaces: () => [keyspaceOf(client, redis._keyPrefix)],
    openSubscriber: (channel, listener) => openSubscriber(redis, channel, listener),
  };
}

/** How long a Sentinel group may take to say who is the primary, ms: some of the Sentinels may be away. */
const discoveryMs = 10_000;

/**
 * A Sentinel of node-redis sends again what was under way when its connection to the primary broke, and does not say
 * so. Hence a duplicate that doesn't: which commands were sent twice has to be known.
 */
function adaptSentinel(
  borrowed: NodeRedisSentinel,
  events: ConnectionEvents,
  dialling: Dialling,
): RedisConnection {
  const make = () => borrowed.duplicate({ maxCommandRediscovers: 0, passthroughClientErrorEvents: true });
  const hear = new Set<(sentinel: NodeRedisSentinel) => void>();
  const line = ownLine(
    make,
    {
      ...events,
      ready() {
        events.ready();
        for (const subscribe of hear) {
          subscribe(line.redial.ready as NodeRedisSentinel);
        }
      },
    },
    dialling.pauseMs,
    discoveryMs,
  );
  return {
    ...line.connection,
    isCluster: false,
    replicated: refuseReplicated,
    address: 'the Sentinel group',
    openSubscriber(channel, listener): Subscriber {
      const subscribe = (sentinel: NodeRedisSentinel) => {
        sentinel
          .subscribe(channel, (text) => hear.has(subscribe) && listener.message(text))
          .then(
            () => hear.has(subscribe) && listener.listening(),
            (error: Error) => hear.has(subscribe) && listener.error(error),
          );
      };
      hear.add(subscribe);
      if (line.redial.ready) {
        subscribe(line.redial.ready);
      }
      return {
        hearShard() {},
        leaveShard() {},
        close() {
          hear.delete(subscribe);
          line.redial.ready?.unsubscribe(channel).catch(() => {});
        },
      };
    },
  };
}

/** A connection over clients of our own. */
function ownLine<Client extends NodeRedisClient | NodeRedisSentinel>(
  make: () => Client,
  events: ConnectionEvents,
  longestPauseMs: number,
  patienceMs?: number,
) {
  let lastError: Error | undefined;
  let address = '';
  const redial = new Redial<Client>(
    () => {
      const client = make();
      address = 'options' in client ? addressOf(client) : address;
      return client;
    },
    {
      ready() {
        lastError = undefined;
        events.ready();
      },
      error(error) {
        lastError = error;
        events.error(error);
      },
    },
    longestPauseMs,
    patienceMs,
  );
  const client = () => {
    if (redial.ready === undefined) {
      throw new Error('The connection is closed');
    }
    return redial.ready.withCommandOptions(plainly) as Client;
  };
  const calls = callsOf(client);
  /** Demoted: find the new primary. */
  const watched = async (call: Promise<unknown>) => {
    try {
      return await call;
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('READONLY')) {
        redial.again();
      }
      throw error;
    }
  };
  const connection = {
    address,
    isReply,
    isReady: () => redial.ready !== undefined,
    lastError: () => lastError,
    // All that goes over it is parkade's: what got no reply has heard nothing.
    suspect: () => redial.again(),
    evalsha: (sha: string, keys: readonly string[], args: readonly (string | number)[]) =>
      watched(calls.evalsha(sha, keys, args)),
    eval: (text: string, keys: readonly string[], args: readonly (string | number)[]) =>
      watched(calls.eval(text, keys, args)),
    serverInfo: async () => String(await client().info('server')),
    keyspaces: () => [keyspaceOf(client(), client()._keyPrefix)],
    async close() {
      redial.close();
    },
  };
  return { connection, redial };
}

/** What a borrowed client tells, and how it is opened if nobody has. */
function watchBorrowed(redis: NodeRedis, readyEvents: readonly string[], events: ConnectionEvents) {
  let lastError: Error | undefined;
  let wasOpen = redis.isOpen;
  const onReady = () => {
    wasOpen = true;
    lastError = undefined;
    events.ready();
  };
  const onError = (error: Error) => {
    lastError = error;
    events.error(error);
  };
  readyEvents.forEach((event) => void redis.on(event, onReady));
  redis.on('error', onError);
  const connection = {
    isReady() {
      if (!redis.isOpen && !wasOpen) {
        redis.connect().catch((error: Error) => {
          lastError = error;
        });
      }
      return redis.isReady;
    },
    lastError: () => lastError,
    suspect() {},
    async close() {
      readyEvents.forEach((event) => void redis.off(event, onReady));
      redis.off('error', onError);
    },
  };
  return { connection };
}

function callsOf(client: () => NodeRedis): Pick<RedisConnection, 'evalsha' | 'eval' | 'isReply'> {
  return {
    isReply,
    evalsha: async (sha, keys, args) =>
      client().evalSha(sha, { keys: [...keys], arguments: args.map(String) }),
    eval: async (text, keys, args) => client().eval(text, { keys: [...keys], arguments: args.map(String) }),
  };
}

/** Its connections are mended by the library, and what is under way is not told apart from what was sent again. */
function refuseReplicated(): never {
  throw new InvalidOptionsError('Bad connection', [
    'it is one of node-redis, with which minReplicas can only be 0 yet, allowed with minReplicas is a connection of ioredis',
  ]);
}

function keyspaceOf(client: Pick<NodeRedisClient, 'scan'>, keyPrefix = ''): Keyspace {
  return {
    async scanHashes(cursor, pattern, count) {
      const match = `${literally(keyPrefix)}${pattern}`;
      const reply = await client.scan(cursor, { MATCH: match, COUNT: count, TYPE: 'hash' });
      return {
        cursor: String(reply.cursor),
        keys: reply.keys.map((key) => String(key).slice(keyPrefix.length)),
      };
    },
  };
}

function addressOf({ options: { socket = {} } }: NodeRedisClient): string {
  return socket.path ?? `${socket.host ?? 'localhost'}:${socket.port ?? 6379}`;
}
