import { InvalidOptionsError } from '../errors.ts';
import type { ConnectionEvents, RedisConnection } from './connection.ts';
import { adaptIoredis } from './ioredis.ts';
import { type IoredisLike, isIoredisLike } from './ioredis-like.ts';
import { adaptNodeRedis } from './node-redis.ts';
import { isNodeRedisLike, type NodeRedisLike } from './node-redis-like.ts';
import { connectToUrl } from './own-connection.ts';

/**
 * Connects to a url (`redis://`, `rediss://`, `unix://` or a socket's path), or borrows a connection of the caller's.
 *
 * @throws InvalidOptionsError if it is neither.
 */
export function connect(
  target: string | IoredisLike | NodeRedisLike,
  events: ConnectionEvents,
): RedisConnection {
  if (typeof target === 'string') {
    return connectToUrl(checkedUrl(target), events);
  }
  if (isIoredisLike(target)) {
    return adaptIoredis(target, false, events);
  }
  if (isNodeRedisLike(target)) {
    return adaptNodeRedis(target, events);
  }
  throw new InvalidOptionsError('Bad connection', [
    `it is ${target === null ? 'null' : `a ${typeof target}`}, allowed is a redis:// or rediss:// url, a connection of ioredis (5 or 6) or iovalkey, or a client (not a pool) or sentinel of node-redis (redis 6)`,
  ]);
}

/** The url, or the path of a socket. */
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
