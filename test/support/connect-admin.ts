import { Cluster, Redis } from 'ioredis';
import type { Ground } from './ground.ts';
import { kinds } from './kinds.ts';

/** Connects who may do everything, whatever the servers are. What the two kinds of connection have in common is used. */
export function connectAdmin(at: string | Ground): Redis {
  if (typeof at === 'string') return new Redis(at, { maxRetriesPerRequest: 3 });
  const { adminUrls, sentinels, kind } = at;
  const { keyPrefix = '' } = kinds[kind];
  const options = { maxRetriesPerRequest: 3, keyPrefix };
  if (sentinels) return new Redis({ ...options, sentinels: sentinels.addresses, name: sentinels.name });
  const [url, ...others] = adminUrls;
  return others.length === 0
    ? new Redis(url as string, options)
    : (new Cluster([...adminUrls], { keyPrefix }) as never as Redis);
}
