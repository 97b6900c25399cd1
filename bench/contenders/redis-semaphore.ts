import { Semaphore as Peer } from 'redis-semaphore';
import { connect } from './connection.ts';
import type { Contender, Semaphore } from './contender.ts';

/**
 * Its defaults (asks again every 10 ms, lock of 10 s, refreshed every 8 s) and, as its README does, an object for
 * each use. Only the time after which an acquire gives up, 10 s, is raised: a bench waits.
 */
export const redisSemaphore: Contender = {
  async open(setting) {
    const redis = await connect(setting);
    return {
      async semaphore(name, limit): Promise<Semaphore<Peer>> {
        return {
          async acquire() {
            const permit = new Peer(redis, `${setting.prefix}:${name}`, limit, {
              acquireTimeout: 600_000,
              onLockLost: (error) => console.error(`redis-semaphore: ${error.message}`),
            });
            await permit.acquire();
            return permit;
          },
          release: (permit) => permit.release(),
        };
      },
      async close() {
        redis.disconnect();
      },
    };
  },
};
