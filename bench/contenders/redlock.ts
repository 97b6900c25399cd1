import Redlock, { type Lock } from 'redlock';
import { connect } from './connection.ts';
import type { Contender, Semaphore } from './contender.ts';

/** Limit 1 only. Its defaults (asks again after 200 ms ± 100), but that it never gives up, since a bench waits. */
export const redlock: Contender = {
  async open(setting) {
    const redis = await connect(setting);
    const client = new Redlock([redis], { retryCount: -1 });
    return {
      async semaphore(name, limit): Promise<Semaphore<Lock>> {
        if (limit !== 1) throw new Error(`redlock has limit 1 only, not ${limit}.`);
        const key = `${setting.prefix}:${name}`;
        return {
          acquire: () => client.acquire([key], 30_000),
          release: (lock) => lock.release(),
        };
      },
      async close() {
        redis.disconnect();
      },
    };
  },
};
