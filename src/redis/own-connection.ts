import { InvalidOptionsError } from '../errors.ts';
import type { ConnectionEvents, RedisConnection, Subscriber, SubscriberEvents } from './connection.ts';
import type { Dialling } from './dialling.ts';
import { connectByIoredis } from './ioredis.ts';
import { connectByNodeRedis } from './node-redis.ts';
import { addressOfTarget, type RedisTarget } from './url.ts';

type Connect = (target: RedisTarget, events: ConnectionEvents, dialling: Dialling) => RedisConnection;

/**
 * Connects by the library that is installed: ioredis, else node-redis. Neither is a dependency, so each is asked for
 * when it is needed, which takes a moment; until then the connection is one that is not ready. `import()` in a `try` is
 * what bundlers understand: they take in what is there, and leave out what is not.
 */
export function connectToUrl(
  target: RedisTarget,
  events: ConnectionEvents,
  dialling: Dialling,
): RedisConnection {
  let inner: RedisConnection | undefined;
  let failure: Error | undefined;
  let isClosed = false;
  const late = new Set<LateSubscriber>();
  const opened = findLibrary()
    .then((open) => {
      if (!isClosed) {
        inner = open(target, events, dialling);
        for (const subscriber of late) {
          subscriber.open(inner);
        }
      }
    })
    .catch((error: Error) => {
      failure = error; // there is no library, or not one that can go there
      events.error(error);
      events.ready(); // so that calls learn at once that they are in vain
    });
  const connection = () => {
    if (inner === undefined) {
      throw failure ?? new Error('The connection is closed');
    }
    return inner;
  };
  return {
    address: addressOfTarget(target),
    isCluster: target.kind === 'cluster',
    isReady: () => failure !== undefined || (inner?.isReady() ?? false),
    isReply: (error) => inner?.isReply(error) ?? false,
    lastError: () => failure ?? inner?.lastError(),
    suspect: (forMs) => inner?.suspect(forMs),
    evalsha: async (sha, keys, args) => connection().evalsha(sha, keys, args),
    eval: async (text, keys, args) => connection().eval(text, keys, args),
    replicated: (replicas, forMs) => connection().replicated(replicas, forMs),
    serverInfo: async () => connection().serverInfo(),
    keyspaces: () => connection().keyspaces(),
    openSubscriber(channel, listener) {
      if (inner !== undefined) {
        return inner.openSubscriber(channel, listener);
      }
      const subscriber = new LateSubscriber(channel, listener);
      late.add(subscriber);
      return subscriber;
    },
    async close() {
      isClosed = true;
      await inner?.close();
      await opened;
    },
  };
}

/** One that was asked for before there was a connection. */
class LateSubscriber implements Subscriber {
  readonly #channel: string;
  readonly #events: SubscriberEvents;
  readonly #shards = new Set<string>();
  #inner: Subscriber | undefined;
  #isClosed = false;

  constructor(channel: string, events: SubscriberEvents) {
    this.#channel = channel;
    this.#events = events;
  }

  open(connection: RedisConnection): void {
    if (!this.#isClosed) {
      this.#inner = connection.openSubscriber(this.#channel, this.#events);
      for (const channel of this.#shards) {
        this.#inner.hearShard(channel);
      }
    }
  }

  hearShard(channel: string): void {
    this.#shards.add(channel);
    this.#inner?.hearShard(channel);
  }

  leaveShard(channel: string): void {
    this.#shards.delete(channel);
    this.#inner?.leaveShard(channel);
  }

  close(): void {
    this.#isClosed = true;
    this.#inner?.close();
  }
}

async function findLibrary(): Promise<Connect> {
  try {
    const library = await import('ioredis');
    return (...where) => connectByIoredis(library, ...where);
  } catch (error) {
    throwUnlessMissing(error, 'ioredis');
  }
  try {
    const library = await import('redis');
    return (...where) => connectByNodeRedis(library, ...where);
  } catch (error) {
    throwUnlessMissing(error, 'redis');
  }
  throw new InvalidOptionsError('Bad connection', [
    'a url needs a library to open it: install ioredis (5 or 6) or redis (6)',
  ]);
}

/** Node says it by a code, and bundlers do the same. */
function throwUnlessMissing(error: unknown, name: string): void {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const isMissing =
    (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') &&
    new RegExp(`['"]${name}['"]`).test(String(message));
  if (!isMissing) {
    throw error;
  }
}
