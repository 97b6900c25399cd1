import { runPairs } from '../run-pairs.ts';
import type { Scenario } from '../scenario.ts';

export const seq: Scenario = {
  name: 'seq',
  what: '1 task, acquire + release, limit 1',
  contenders: [
    'SET NX + DEL',
    'EVALSHA',
    'parkade',
    'parkade + OTel',
    'parkade, mute',
    'redis-semaphore',
    'bottleneck',
    'redlock',
    'async-sema',
  ],
  leftOut: {},
  rounds: 5,
  figures: [
    { key: 'pairs', title: 'pairs', unit: '/s', reference: 'SET NX + DEL' },
    { key: 'serverUs', title: 'server CPU a pair', unit: 'µs', reference: 'SET NX + DEL' },
  ],
  reaches: [{ figure: 'pairs', against: { contender: 'SET NX + DEL', figure: 'pairs' }, atLeast: 0.95 }],
  async open(contender, stage) {
    const crew = await stage.startCrew(contender, 1, { manyTasks: false });
    return {
      async measure() {
        const { perSecond, serverUs } = await runPairs(
          crew.workers,
          {
            name: 'seq',
            limit: 1,
            tasks: 1,
            holdMs: 0,
            warmUpMs: stage.pick(200, 50),
            countedMs: stage.pick(800, 150),
          },
          stage.server,
        );
        return { pairs: perSecond, ...(contender !== 'async-sema' && { serverUs }) };
      },
      close: () => crew.kill(),
    };
  },
};
