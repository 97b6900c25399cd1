import Bottleneck from 'bottleneck';
import { Redis } from 'ioredis';
import type { Contender, Semaphore } from './contender.ts';

/** A job that has started, and the way to end it. */
interface Job {
  end(): void;
  readonly ended: Promise<unknown>;
}

/** A line is in the memory of each limiter: of all in this process, by their id. */
const lines = new Map<string, Bottleneck[]>();

/**
 * Clustered, its defaults, one pair of connections for all limiters of the process as its README recommends. It runs
 * jobs rather than giving permits: acquire is the start of a job, release its end.
 */
export const bottleneck: Contender = {
  async open({ url, prefix, manyTasks }) {
    const client = new Redis(url, { enableAutoPipelining: manyTasks });
    const connection = new Bottleneck.IORedisConnection({ client });
    await connection.ready;
    return {
      async semaphore(name, limit): Promise<Semaphore<Job>> {
        const id = `${prefix}:${name}`;
        const limiter = new Bottleneck({ id, maxConcurrent: limit, connection });
        const limiters = [...(lines.get(id) ?? []), limiter];
        lines.set(id, limiters);
        limiter.on('error', (error) => console.error(`bottleneck: ${error}`));
        await limiter.ready();
        return {
          acquire: () =>
            new Promise((started) => {
              const ended: Promise<unknown> = limiter.schedule(
                () =>
                  new Promise<void>((end) => started({ end, ended: Promise.resolve().then(() => ended) })),
              );
            }),
          release(job) {
            job.end();
            return job.ended;
          },
          waiting: async () => (lines.get(id) ?? []).reduce((sum, each) => sum + each.queued(), 0),
        };
      },
      close: () => connection.disconnect(false),
    };
  },
};
