import { runPairs } from '../run-pairs.ts';
import type { Sample, Scenario } from '../scenario.ts';

const counts = [1, 2, 4, 8, 16] as const;

/** Where nobody waits, and where from the third process on somebody does. */
const situations = [
  { key: 'free', title: 'limit 100, no hold', limit: 100, holdMs: 0 },
  { key: 'contended', title: 'limit 2, 10 ms hold', limit: 2, holdMs: 10 },
] as const;

/** As flat as can be told from noise. */
const flat = 1.2;

export const pods: Scenario = {
  name: 'pods',
  what: '1 to 16 processes with one task each on one semaphore',
  contenders: ['parkade', 'redis-semaphore'],
  leftOut: {
    bottleneck: 'is measured in server',
    redlock: 'has limit 1 only',
    'async-sema': 'has one process only',
  },
  rounds: 3,
  figures: situations.flatMap(({ key, title }) =>
    counts.map((count) => ({
      key: `${key}-${count}`,
      title: `server CPU a grant, ${title}, ${count} ${count === 1 ? 'process' : 'processes'}`,
      unit: 'µs',
      reference: 'redis-semaphore' as const,
    })),
  ),
  reaches: [
    { figure: 'free-16', against: { contender: 'parkade', figure: 'free-1' }, atMost: flat },
    { figure: 'contended-16', against: { contender: 'parkade', figure: 'contended-4' }, atMost: flat },
  ],
  async open(contender, stage) {
    const crew = await stage.startCrew(contender, stage.pick(16, 4), { manyTasks: false });
    return {
      async measure() {
        let sample: Sample = {};
        for (const { key, limit, holdMs } of situations) {
          for (const count of counts) {
            const { serverUs } = await runPairs(
              crew.workers.slice(0, count),
              {
                name: key,
                limit,
                tasks: 1,
                holdMs,
                warmUpMs: stage.pick(100, 20),
                countedMs: stage.pick(500, 80),
              },
              stage.server,
            );
            sample = { ...sample, [`${key}-${count}`]: serverUs };
          }
        }
        return sample;
      },
      close: () => crew.kill(),
    };
  },
};
