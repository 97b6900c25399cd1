import type { TestProject } from 'vitest/node';
import { startRedis } from '../support/redis/start-redis.ts';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
  }
}

/** One server for all test files; each uses a prefix of its own. Tests that flush or kill start another. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startRedis();
  console.log(`Tests run against ${server.description}`);
  project.provide('redisUrl', server.url);
  return () => server.stop();
}
