import { ms, type PermitStory, type Timeline } from '../stories.ts';
import { type Finding, finding, type Verdict, verdict } from '../verdict.ts';
import type { DocumentedWindow } from '../windows.ts';
import { limits, reliedUntil } from './over-issue.ts';

/** An answer of the store is on its way for no longer than this, on a machine that is busy. */
const wayMs = 20;

/**
 * What the guarded resource saw. It puts somebody out, or turns somebody away, whenever not all fit. That is right where
 * somebody is inside who does not rely on a permit any more, such as a process that was stopped past its lease; all others
 * must have fitted.
 */
export function checkStore(timeline: Timeline, windows: readonly DocumentedWindow[]): Verdict {
  const permits = new Map(timeline.permits.map((permit) => [permit.permit, permit]));
  const limitAt = limits(timeline);
  const findings: Finding[] = [];
  let looked = 0;
  let entered: PermitStory[] = [];
  for (const event of timeline.history.supervisor) {
    if (event.kind !== 'store entered' && !(event.kind === 'store refused' && event.doing === 'enter'))
      continue;
    looked++;
    const comer = permits.get(event.permit);
    if (comer === undefined) continue;
    const { at } = event;
    entered = entered.filter((insider) => reliedUntil(insider) > at + wayMs * ms);
    const others = entered;
    const fitted = event.kind === 'store entered' && event.evicted.length === 0;
    if (reliedUntil(comer) > at + wayMs * ms) entered = [...entered, comer];
    const weight = entered.reduce((sum, insider) => sum + insider.weight, 0);
    const limit = limitAt(comer.request.askedAt, at);
    if (!fitted && weight > limit && entered !== others) {
      const what = `${comer.permit} came when ${others.map(({ permit }) => permit).join(', ')} were inside: ${weight} of ${limit}`;
      const exclusion = { comer: comer.worker, others, excess: weight - limit, at };
      findings.push(finding(at, what, windows, (window) => window.covers(exclusion)));
    }
  }
  return verdict('the guarded store sees no two at once that may not be', looked, findings);
}
