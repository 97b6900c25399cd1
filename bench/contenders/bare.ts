import type { Redis } from 'ioredis';
import { connect } from './connection.ts';
import type { Contender, Semaphore, Setting } from './contender.ts';

/** `SET NX PX` and `DEL`, a key for each task: what a lock costs that nobody contends for, and that promises little. */
export const bareLock: Contender = {
  async open(setting) {
    const redis = await connect(setting);
    return {
      async semaphore(name): Promise<Semaphore<string>> {
        const free: string[] = [];
        let keys = 0;
        return {
          async acquire() {
            const key = free.pop() ?? `${setting.prefix}:${name}:${++keys}`;
            if ((await redis.set(key, 'held', 'PX', 30_000, 'NX')) !== 'OK') {
              throw new Error(`The key ${key} was there, although nobody else uses it.`);
            }
            return key;
          },
          async release(key) {
            await redis.del(key);
            free.push(key);
          },
        };
      },
      async close() {
        redis.disconnect();
      },
    };
  },
};

/** A script that does nothing, once for acquire and once for release: what any script costs. */
export const bareScript: Contender = {
  async open(setting) {
    const redis = await connect(setting);
    const sha = (await redis.script('LOAD', 'return 1')) as string;
    return {
      async semaphore(name): Promise<Semaphore> {
        const key = `${setting.prefix}:${name}`;
        return { acquire: () => redis.evalsha(sha, 1, key), release: () => redis.evalsha(sha, 1, key) };
      },
      async close() {
        redis.disconnect();
      },
    };
  },
};

/**
 * A script that publishes, to the message's arrival at the other of two processes: the least that a hand-off can take.
 * The first to ask has it; from then on whoever asks waits for a message.
 */
export const barePublish: Contender = barePublishTo((setting) => connect({ ...setting, manyTasks: false }));

/** The same with messages and replies on one connection, as RESP3 allows: what a second connection costs. */
export const barePublishOnOne: Contender = barePublishTo(async (_setting, redis) => redis);

function barePublishTo(subscriberOf: (setting: Setting, redis: Redis) => Promise<Redis>): Contender {
  return {
    async open(setting) {
      const redis = await connect(setting);
      const subscriber = await subscriberOf(setting, redis);
      const sha = (await redis.script('LOAD', "return redis.call('PUBLISH', ARGV[1], ARGV[2])")) as string;
      const id = `${process.pid}`;
      let arrived: ((value: string) => void) | undefined;
      // Its own messages come as well, and some come late.
      subscriber.on('message', (_channel, sender: string) => sender !== id && arrived?.(sender));
      return {
        async semaphore(name): Promise<Semaphore> {
          const channel = `${setting.prefix}:${name}`;
          await subscriber.subscribe(channel);
          return {
            async acquire() {
              const message = new Promise<string>((resolve) => {
                arrived = resolve;
              });
              return (await redis.set(channel, 'held', 'NX')) ?? message;
            },
            release: () => redis.evalsha(sha, 0, channel, id),
          };
        },
        async close() {
          redis.disconnect();
          subscriber.disconnect();
        },
      };
    },
  };
}
