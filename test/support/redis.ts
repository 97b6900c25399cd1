import { inject } from 'vitest';

/** The server that all test files share. Never flush it: it may be the user's own. */
export const redisUrl = (): string => inject('redisUrl');

/** A prefix for keys and channels that no other test has. */
export const uniquePrefix = (): string => `test-${crypto.randomUUID().slice(0, 13)}`;
