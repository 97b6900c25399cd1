import type { Scenario } from '../scenario.ts';

export const many: Scenario = {
  name: 'many',
  what: '10,000 semaphores used once each, one after the other, then all at once; against one semaphore',
  contenders: ['parkade', 'redis-semaphore'],
  leftOut: {
    bottleneck: 'keeps a timer and two subscriptions for each limiter, until it is told to end',
    redlock: 'has limit 1 only: one lock can not be taken 10,000 times at once',
    'async-sema': 'has no server',
  },
  rounds: 2,
  figures: [
    { key: 'one', title: 'one semaphore, one after the other', unit: '/s', reference: 'redis-semaphore' },
    { key: 'onceEach', title: '10,000, one after the other', unit: '/s', reference: 'redis-semaphore' },
    { key: 'oneAtOnce', title: 'one semaphore, all at once', unit: '/s', reference: 'redis-semaphore' },
    { key: 'allAtOnce', title: '10,000, all at once', unit: '/s', reference: 'redis-semaphore' },
    { key: 'leftBytes', title: 'left in the process, a semaphore', unit: 'B' },
    { key: 'withoutTtl', title: 'keys left in Redis for ever', unit: '' },
    { key: 'redisBytes', title: 'left in Redis until its TTL, a semaphore', unit: 'B' },
  ],
  reaches: [
    { figure: 'onceEach', against: { contender: 'parkade', figure: 'one' }, atLeast: 0.8 },
    { figure: 'allAtOnce', against: { contender: 'parkade', figure: 'oneAtOnce' }, atLeast: 0.8 },
    { figure: 'leftBytes', atMost: 100 },
    { figure: 'withoutTtl', atMost: 0 },
  ],
  async open(contender, stage) {
    const crew = await stage.startCrew(contender, 1, { manyTasks: true });
    return {
      async measure(round) {
        const count = stage.pick(10_000, 200);
        const name = `many-${round}`;
        // Once is enough for what is left, since that has to wait: a third of a presence time, until a client rests.
        const settleMs = round === 0 ? stage.pick(4_000, 0) : undefined;
        const result = await crew.first.call('names', { name, count, settleMs });
        const { bytes, withoutTtl } = await stage.server.keys(
          `${contender === 'redis-semaphore' ? 'semaphore:' : ''}${crew.prefix}:`,
        );
        const perSecond = (tookMs: number) => (count / tookMs) * 1000;
        return {
          one: perSecond(result.oneMs),
          onceEach: perSecond(result.onceEachMs),
          oneAtOnce: perSecond(result.oneAtOnceMs),
          allAtOnce: perSecond(result.allAtOnceMs),
          ...(result.leftBytes !== undefined && { leftBytes: result.leftBytes }),
          withoutTtl,
          // In the first round twice as many were used.
          redisBytes: bytes / (count * (round + 2)),
        };
      },
      close: () => crew.kill(),
    };
  },
};
