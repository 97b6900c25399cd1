import { countInversions } from '../inversions.ts';
import type { GrantLog } from '../loads/pairs.ts';
import { runPairs } from '../run-pairs.ts';
import type { Sample, Scenario } from '../scenario.ts';
import { jainIndex, quantile, sorted } from '../statistics.ts';

const limit = 8;
const tasks = 64;
const holdMs = 5;

/** Whoever asks less than this after another's request was sent may be granted earlier: two ways to the server. */
const graceMs = 2;

export const contend: Scenario = {
  name: 'contend',
  what: `limit ${limit}, ${tasks} tasks in 2 processes, ${holdMs} ms hold`,
  contenders: ['parkade', 'redis-semaphore', 'bottleneck', 'async-sema'],
  leftOut: { redlock: 'has limit 1 only' },
  rounds: 5,
  figures: [
    { key: 'utilisation', title: 'utilisation', unit: '', reference: 'async-sema' },
    { key: 'p50', title: 'wait p50', unit: 'ms' },
    { key: 'p90', title: 'wait p90', unit: 'ms' },
    { key: 'p99', title: 'wait p99', unit: 'ms' },
    { key: 'max', title: 'wait max', unit: 'ms' },
    { key: 'inversions', title: 'inversions per 1000 grants', unit: '' },
    { key: 'jain', title: "Jain's index over the tasks", unit: '' },
    { key: 'serverUs', title: 'server CPU a pair', unit: 'µs', reference: 'redis-semaphore' },
  ],
  reaches: [
    { figure: 'utilisation', against: { contender: 'async-sema', figure: 'utilisation' }, atLeast: 0.95 },
    { figure: 'p99', against: { contender: 'parkade', figure: 'p50' }, atMost: 1.15 },
    { figure: 'inversions', atMost: 0 },
  ],
  async open(contender, stage) {
    const processes = contender === 'async-sema' ? 1 : 2;
    const crew = await stage.startCrew(contender, processes, { manyTasks: true });
    return {
      async measure() {
        const outcome = await runPairs(
          crew.workers,
          {
            name: 'contend',
            limit,
            tasks: tasks / processes,
            holdMs,
            warmUpMs: stage.pick(300, 100),
            countedMs: stage.pick(2000, 300),
            log: true,
          },
          stage.server,
        );
        return {
          utilisation: (outcome.perSecond * holdMs) / 1000 / limit,
          ...waitsOf(outcome.logs),
          ...fairnessOf(outcome.logs, tasks / processes),
          ...(contender !== 'async-sema' && { serverUs: outcome.serverUs }),
        };
      },
      close: () => crew.kill(),
    };
  },
};

function waitsOf(logs: readonly GrantLog[]): Sample {
  const waits = sorted(
    logs.flatMap((log) =>
      log.grantedAtMs.map((grantedAtMs, i) => grantedAtMs - (log.askedAtMs[i] as number)),
    ),
  );
  return {
    p50: quantile(waits, 0.5),
    p90: quantile(waits, 0.9),
    p99: quantile(waits, 0.99),
    max: quantile(waits, 1),
  };
}

/** The order of grants is the server's where the contender tells it (fencing tokens), else that of their arrival. */
function fairnessOf(logs: readonly GrantLog[], tasksEach: number): Sample {
  const turns = logs.flatMap((log) =>
    log.askedAtMs.map((askedAtMs, i) => ({
      askedAtMs,
      sentByMs: log.sentByMs[i] as number,
      order: log.order[i] ?? (log.grantedAtMs[i] as number),
    })),
  );
  const shares = logs.flatMap((log) => {
    const counts = new Array<number>(tasksEach).fill(0);
    for (const task of log.task) counts[task] = (counts[task] as number) + 1;
    return counts;
  });
  return {
    inversions: (countInversions(turns, graceMs) / turns.length) * 1000,
    jain: jainIndex(shares),
  };
}
