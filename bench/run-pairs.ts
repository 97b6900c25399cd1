import type { Worker } from './crew.ts';
import { nowMs } from './loads/now.ts';
import type { GrantLog, PairsPlan } from './loads/pairs.ts';
import type { ServerProbe } from './server-probe.ts';

/** What all processes together made of a plan. */
export interface PairsOutcome {
  readonly perSecond: number;
  /** CPU time of the server for each acquire and release, µs. */
  readonly serverUs: number;
  /** One for each process. */
  readonly logs: readonly GrantLog[];
}

/** Has all workers make pairs at the same time. */
export async function runPairs(
  workers: readonly Worker[],
  plan: Omit<PairsPlan, 'startAtMs' | 'log'> & { readonly log?: boolean },
  server: ServerProbe,
): Promise<PairsOutcome> {
  const before = await server.cpuUs();
  const startAtMs = nowMs() + 30;
  const results = await Promise.all(
    workers.map((worker) => worker.call('pairs', { ...plan, startAtMs, log: plan.log ?? false })),
  );
  const usedUs = (await server.cpuUs()) - before;
  const pairs = results.reduce((sum, result) => sum + result.pairs, 0);
  const counted = results.reduce((sum, result) => sum + result.counted, 0);
  return {
    perSecond: (counted / plan.countedMs) * 1000,
    serverUs: usedUs / pairs,
    logs: results.flatMap(({ log }) => log ?? []),
  };
}
