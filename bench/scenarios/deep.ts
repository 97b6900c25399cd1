import type { DrainResult } from '../loads/drain.ts';
import type { Sample, Scenario } from '../scenario.ts';

/** How many waiters, and how many times in a round, so that short lines are measured for long enough. */
const depths = [
  { waiters: 10, times: 100 },
  { waiters: 100, times: 50 },
  { waiters: 1_000, times: 20 },
  { waiters: 5_000, times: 4 },
  { waiters: 100_000, times: 1 },
] as const;

export const deep: Scenario = {
  name: 'deep',
  what: '5,000 and 100,000 waiters on limit 10, which then drain, in a process',
  contenders: ['parkade', 'redis-semaphore', 'bottleneck', 'async-sema'],
  leftOut: { redlock: 'has limit 1 only' },
  rounds: 3,
  figures: depths.flatMap(({ waiters }) => {
    const reference = waiters > 5_000 ? {} : { reference: 'redis-semaphore' as const };
    const of = `of ${waiters.toLocaleString('en')} waiters`;
    return [
      ...(waiters === 5_000
        ? [{ key: 'rate-5000', title: `drain rate ${of}`, unit: '/s', ...reference }]
        : []),
      { key: `cost-${waiters}`, title: `time a grant ${of}`, unit: 'µs', ...reference },
      { key: `serverUs-${waiters}`, title: `server CPU a grant ${of}`, unit: 'µs', ...reference },
    ];
  }),
  reaches: [
    { figure: 'rate-5000', against: { contender: 'redis-semaphore', figure: 'rate-5000' }, atLeast: 60 },
    { figure: 'cost-100000', against: { contender: 'parkade', figure: 'cost-1000' }, atMost: 1.2 },
    { figure: 'serverUs-100000', against: { contender: 'parkade', figure: 'serverUs-1000' }, atMost: 1.2 },
  ],
  async open(contender, stage) {
    const crew = await stage.startCrew(contender, 1, { manyTasks: true });
    // 100,000 who poll would take the server for half an hour.
    const possible = depths.filter(({ waiters }) => waiters <= 5_000 || contender !== 'redis-semaphore');
    return {
      async measure() {
        let sample: Sample = {};
        for (const { waiters, times } of possible) {
          const count = stage.pick(waiters, Math.min(waiters, 300));
          const drains: DrainResult[] = [];
          for (
            let i = 0;
            i < stage.pick(contender === 'redis-semaphore' ? Math.ceil(times / 20) : times, 1);
            i++
          ) {
            drains.push(await crew.first.call('drain', { name: 'deep', limit: 10, waiters: count }));
          }
          const grants = count * drains.length;
          const tookMs = drains.reduce((sum, drain) => sum + drain.tookMs, 0);
          const serverUs = drains.reduce((sum, drain) => sum + drain.serverUs, 0);
          sample = {
            ...sample,
            [`rate-${waiters}`]: (grants / tookMs) * 1000,
            [`cost-${waiters}`]: (tookMs * 1000) / grants,
            ...(contender !== 'async-sema' && { [`serverUs-${waiters}`]: serverUs / grants }),
          };
        }
        return sample;
      },
      close: () => crew.kill(),
    };
  },
};
