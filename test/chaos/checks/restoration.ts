import { traitsOf } from '../fault-kinds.ts';
import { checkInMs, reconnectMs, slackMs } from '../settings.ts';
import { longestPeace, ms, type Timeline } from '../stories.ts';
import { type Finding, type Verdict, verdict } from '../verdict.ts';

/** Data is put back only after it was lost: a restoration closes the semaphore for everyone. */
export function checkRestorations({ history, faults, workers, settings }: Timeline): Verdict {
  // Whoever is left in peace has connected again and checked in by then.
  const soonMs = reconnectMs + checkInMs(settings) + slackMs;
  const losses = faults.filter(({ kind }) => traitsOf(kind).loses !== undefined);
  const findings: Finding[] = [];
  let looked = 0;
  for (const { worker, disturbances } of workers) {
    for (const event of history.workers.get(worker) ?? []) {
      if (event.kind !== 'restored') continue;
      looked++;
      const { at, permits, waiters } = event;
      // Who was struck again and again since has not been able to find out before.
      const news = losses.some(
        ({ from, to }) =>
          from < at &&
          (at < to + soonMs * ms || longestPeace(disturbances, to, at) < checkInMs(settings) * ms),
      );
      if (!news) {
        findings.push({
          at,
          what: `${worker} restored ${permits} permits and ${waiters} waiters; nothing was lost`,
        });
      }
    }
  }
  return verdict('only what was lost is restored', looked, findings);
}
