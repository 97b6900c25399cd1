import { ground } from './ground.ts';

/** The single server that all test files share, for one who may do everything. Never flush it: it may be the user's own. */
export function redisUrl(): string {
  const { adminUrls, kind } = ground();
  if (adminUrls.length > 1) throw new Error(`There is no single server where tests run on '${kind}'.`);
  return adminUrls[0] as string;
}

/** A prefix for keys and channels that no other test has. */
export const uniquePrefix = (): string => `test-${crypto.randomUUID().slice(0, 13)}`;
