import { runPairs } from '../run-pairs.ts';
import type { Scenario } from '../scenario.ts';

export const wide: Scenario = {
  name: 'wide',
  what: '500 tasks in a process, limit 1000, no hold',
  contenders: [
    'SET NX + DEL',
    'EVALSHA',
    'parkade',
    'parkade + OTel',
    'parkade, mute',
    'redis-semaphore',
    'bottleneck',
    'async-sema',
  ],
  leftOut: { redlock: 'has limit 1 only' },
  rounds: 5,
  figures: [
    { key: 'pairs', title: 'pairs', unit: '/s', reference: 'SET NX + DEL' },
    { key: 'serverUs', title: 'server CPU a pair', unit: 'µs', reference: 'SET NX + DEL' },
  ],
  reaches: [{ figure: 'pairs', against: { contender: 'SET NX + DEL', figure: 'pairs' }, atLeast: 2.5 }],
  async open(contender, stage) {
    const crew = await stage.startCrew(contender, 1, { manyTasks: true });
    return {
      async measure() {
        const { perSecond, serverUs } = await runPairs(
          crew.workers,
          {
            name: 'wide',
            limit: 1000,
            tasks: 500,
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
