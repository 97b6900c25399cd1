import { runPairs } from '../run-pairs.ts';
import type { Sample, Scenario } from '../scenario.ts';

const situations = [
  { key: 'uncontended', title: 'limit 100, no hold', limit: 100, tasks: 1, holdMs: 0, atMost: 1.2 },
  { key: 'contended', title: 'limit 2, 10 ms hold', limit: 2, tasks: 1, holdMs: 10, atMost: 1 },
  {
    key: 'crowded',
    title: '64 tasks each, limit 8, 10 ms hold',
    limit: 8,
    tasks: 64,
    holdMs: 10,
    atMost: 0.5,
  },
] as const;

export const server: Scenario = {
  name: 'server',
  what: 'CPU of the server per acquire + release, 8 processes with one task each',
  contenders: ['parkade', 'redis-semaphore', 'bottleneck'],
  leftOut: { redlock: 'has limit 1 only', 'async-sema': 'has no server' },
  rounds: 3,
  figures: situations.flatMap(({ key, title }) => [
    { key, title: `CPU a pair, ${title}`, unit: 'µs', reference: 'redis-semaphore' as const },
    { key: `${key}-pairs`, title: `pairs, ${title}`, unit: '/s', reference: 'redis-semaphore' as const },
  ]),
  reaches: situations.map(({ key, atMost }) => ({
    figure: key,
    against: { contender: 'redis-semaphore', figure: key },
    atMost,
  })),
  async open(contender, stage) {
    const few = await stage.startCrew(contender, stage.pick(8, 2), { manyTasks: false });
    const many = await stage.startCrew(contender, stage.pick(8, 2), { manyTasks: true });
    return {
      async measure() {
        let sample: Sample = {};
        for (const { key, limit, tasks, holdMs } of situations) {
          const { serverUs, perSecond } = await runPairs(
            (tasks === 1 ? few : many).workers,
            {
              name: key,
              limit,
              tasks,
              holdMs,
              warmUpMs: stage.pick(200, 50),
              countedMs: stage.pick(1000, 150),
            },
            stage.server,
          );
          sample = { ...sample, [key]: serverUs, [`${key}-pairs`]: perSecond };
        }
        return sample;
      },
      close: async () => void (await Promise.all([few.kill(), many.kill()])),
    };
  },
};
