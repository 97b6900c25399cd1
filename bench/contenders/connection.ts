import { Redis } from 'ioredis';
import type { Setting } from './contender.ts';

/** The same connection for all who are given one. */
export async function connect({ url, manyTasks }: Setting): Promise<Redis> {
  const redis = new Redis(url, { enableAutoPipelining: manyTasks, lazyConnect: true });
  await redis.connect();
  return redis;
}
