import type { Scenario } from '../scenario.ts';

export const memory: Scenario = {
  name: 'memory',
  what: '100,000 waiters of a client',
  contenders: ['parkade', 'async-sema'],
  leftOut: {
    'redis-semaphore': 'has no line: 100,000 who poll never come to rest',
    bottleneck: 'a round trip for each to get in line, one after the other: minutes',
    redlock: 'has no line',
  },
  rounds: 1,
  figures: [
    { key: 'redisBytes', title: 'in Redis, a waiter', unit: 'B' },
    { key: 'processBytes', title: 'in the process, a waiter', unit: 'B', reference: 'async-sema' },
  ],
  reaches: [
    { figure: 'redisBytes', atMost: 200 },
    { figure: 'processBytes', atMost: 1024 },
  ],
  async open(contender, stage) {
    const crew = await stage.startCrew(contender, 1, { manyTasks: true });
    return {
      async measure() {
        const waiters = stage.pick(100_000, 1_000);
        const { grownBytes } = await crew.first.call('standInLine', { name: 'memory', clients: 1, waiters });
        const { bytes } = await stage.server.keys(crew.prefix);
        await crew.first.call('leaveLine');
        return {
          processBytes: grownBytes / waiters,
          ...(contender !== 'async-sema' && { redisBytes: bytes / waiters }),
        };
      },
      close: () => crew.kill(),
    };
  },
};
