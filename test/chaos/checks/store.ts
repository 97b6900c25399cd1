import { ms, type Timeline } from '../stories.ts';
import { type Finding, finding, type Verdict, verdict } from '../verdict.ts';
import type { DocumentedWindow } from '../windows.ts';
import { reliedUntil } from './over-issue.ts';

/** An answer of the store is on its way for no longer than this, on a machine that is busy. */
const wayMs = 20;

/**
 * What the guarded resource saw: it had to put somebody out, or turn somebody away, only where a holder had stopped
 * relying on its permit by then.
 */
export function checkStore(timeline: Timeline, windows: readonly DocumentedWindow[]): Verdict {
  const permits = new Map(timeline.permits.map((permit) => [permit.permit, permit]));
  const findings: Finding[] = [];
  let looked = 0;
  const evicted = new Set<string>();
  for (const event of timeline.history.supervisor) {
    if (event.kind === 'store entered') {
      looked++;
      const comer = permits.get(event.permit);
      for (const name of event.evicted) {
        evicted.add(name);
        const insider = permits.get(name);
        if (comer !== undefined && insider !== undefined && reliedUntil(insider) > event.at + wayMs * ms) {
          const what = `${event.permit} did not fit beside ${name}, which was relied on`;
          findings.push(
            finding(event.at, what, windows, (window) =>
              window.covers({ comer: comer.worker, others: [insider], excess: 1, at: event.at }),
            ),
          );
        }
      }
    } else if (event.kind === 'store refused' && event.doing === 'enter') {
      const comer = permits.get(event.permit);
      if (comer !== undefined && reliedUntil(comer) > event.at + wayMs * ms) {
        const what = `${event.permit} was turned away, and relied on its permit`;
        findings.push(
          finding(event.at, what, windows, (window) =>
            window.covers({ comer: comer.worker, others: [comer], excess: 1, at: event.at }),
          ),
        );
      }
    }
  }
  return verdict('the guarded store sees no two at once that may not be', looked, findings);
}
