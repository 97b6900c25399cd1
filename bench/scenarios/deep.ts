import type { ContenderName } from '../contenders/names.ts';
import type { Worker } from '../crew.ts';
import type { Sample, Scenario } from '../scenario.ts';

/** How many waiters; and how many times in a round, so that short lines are measured for long enough. */
const depths = [
  { waiters: 10, times: 60 },
  { waiters: 100, times: 30 },
  { waiters: 1_000, times: 10 },
  { waiters: 5_000, times: 4 },
  { waiters: 100_000, times: 1 },
] as const;

export const deep: Scenario = {
  name: 'deep',
  what: '5,000 and 100,000 waiters on limit 10, which then drain, in a process',
  contenders: ['parkade', 'redis-semaphore', 'bottleneck', 'async-sema'],
  leftOut: {
    redlock: 'has limit 1 only',
    'redis-semaphore at 100,000': 'polls: half an hour',
    'bottleneck at 100,000': 'a round trip for each, one after the other: minutes',
  },
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
    return {
      async measure() {
        let sample: Sample = {};
        for (const { waiters, times } of depths) {
          if (waiters > 5_000 && isSlow(contender)) continue;
          const count = stage.pick(waiters, Math.min(waiters, 300));
          const repeats = stage.pick(isSlow(contender) ? Math.ceil(times / 20) : times, 1);
          sample = { ...sample, ...(await drained(crew.first, contender, waiters, count, repeats)) };
        }
        return sample;
      },
      close: () => crew.kill(),
    };
  },
};

async function drained(
  worker: Worker,
  contender: ContenderName,
  depth: number,
  waiters: number,
  times: number,
): Promise<Sample> {
  let [tookMs, serverUs] = [0, 0];
  for (let i = 0; i < times; i++) {
    const drain = await worker.call('drain', { name: 'deep', limit: 10, waiters });
    tookMs += drain.tookMs;
    serverUs += drain.serverUs;
  }
  const grants = waiters * times;
  return {
    [`rate-${depth}`]: (grants / tookMs) * 1000,
    [`cost-${depth}`]: (tookMs * 1000) / grants,
    ...(contender !== 'async-sema' && { [`serverUs-${depth}`]: serverUs / grants }),
  };
}

/** Whoever takes seconds for what takes parkade milliseconds repeats it less often. */
function isSlow(contender: ContenderName): boolean {
  return contender === 'redis-semaphore' || contender === 'bottleneck';
}
