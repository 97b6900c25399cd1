import { runPairs } from '../run-pairs.ts';
import type { Scenario } from '../scenario.ts';

export const contend0: Scenario = {
  name: 'contend0',
  what: 'limit 8, 64 tasks in a process, no hold',
  contenders: ['parkade', 'redis-semaphore', 'bottleneck', 'async-sema'],
  leftOut: { redlock: 'has limit 1 only' },
  rounds: 5,
  figures: [
    { key: 'pairs', title: 'pairs', unit: '/s', reference: 'redis-semaphore' },
    { key: 'serverUs', title: 'server CPU a pair', unit: 'µs', reference: 'redis-semaphore' },
  ],
  reaches: [{ figure: 'pairs', against: { contender: 'redis-semaphore', figure: 'pairs' }, atLeast: 2 }],
  async open(contender, stage) {
    const crew = await stage.startCrew(contender, 1, { manyTasks: true });
    return {
      async measure() {
        const { perSecond, serverUs } = await runPairs(
          crew.workers,
          {
            name: 'contend0',
            limit: 8,
            tasks: 64,
            holdMs: 0,
            warmUpMs: stage.pick(300, 50),
            countedMs: stage.pick(1000, 200),
          },
          stage.server,
        );
        return { pairs: perSecond, ...(contender !== 'async-sema' && { serverUs }) };
      },
      close: () => crew.kill(),
    };
  },
};
