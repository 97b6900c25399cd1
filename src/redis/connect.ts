import type { ConnectionOptions } from 'node:tls';
import { InvalidOptionsError } from '../errors.ts';
import type { ConnectionEvents, RedisConnection } from './connection.ts';
import { diallingFor } from './dialling.ts';
import { adaptIoredis } from './ioredis.ts';
import { type IoredisLike, isIoredisLike } from './ioredis-like.ts';
import { adaptNodeRedis } from './node-redis.ts';
import { isNodeRedisLike, type NodeRedisLike } from './node-redis-like.ts';
import { connectToUrl } from './own-connection.ts';
import { parseUrl } from './url.ts';

/**
 * Connects to a url (see `parseUrl`), or borrows a connection of the caller's.
 *
 * @param presenceMs of the client, which has to be back before others are granted what it held
 * @param tls how to do TLS, where a url asks for it
 * @throws InvalidOptionsError if it is neither.
 */
export function connect(
  target: string | IoredisLike | NodeRedisLike,
  events: ConnectionEvents,
  presenceMs: number,
  tls?: ConnectionOptions,
): RedisConnection {
  const dialling = diallingFor(presenceMs);
  if (typeof target === 'string') {
    return connectToUrl(parseUrl(target, tls), events, dialling);
  }
  if (isIoredisLike(target)) {
    return adaptIoredis(target, false, events);
  }
  if (isNodeRedisLike(target)) {
    return adaptNodeRedis(target, events, dialling);
  }
  throw new InvalidOptionsError('Bad connection', [
    `it is ${target === null ? 'null' : `a ${typeof target}`}, allowed is a redis:// or rediss:// url, a connection of ioredis (5 or 6) or iovalkey, or a client (not a pool) or sentinel of node-redis (redis 6)`,
  ]);
}
