import { recoveryBoundMs } from '../settings.ts';
import { ms, type Timeline } from '../stories.ts';
import { type Finding, type Verdict, verdict } from '../verdict.ts';

/** Once the faults have ended, every request of a living worker is settled within a bound. */
export function checkServed({ requests, phases, settings, endAt }: Timeline): Verdict {
  const calmAt = phases.calm ?? endAt;
  const boundUs = recoveryBoundMs(settings) * ms;
  const findings: Finding[] = [];
  let looked = 0;
  for (const { key, askedAt, endedAt, worker, outcome, code } of requests) {
    if (worker.wasKilled) continue;
    looked++;
    const from = Math.max(askedAt, calmAt);
    if (endedAt > from + boundUs) {
      const after = Number.isFinite(endedAt) ? `after ${Math.round((endedAt - from) / ms)} ms` : 'never';
      findings.push({ at: from, what: `${key} was settled ${after}` });
    }
    if (outcome === 'error' && askedAt > calmAt + boundUs) {
      findings.push({ at: endedAt, what: `${key} failed with ${code} long after the faults` });
    }
  }
  return verdict('every live request is served after the faults', looked, findings);
}

/** In the end nothing is held, nobody waits, the limit is the one that was set, and all units can be had at once. */
export function checkAllReturns({ history, settings }: Timeline): Verdict {
  const final = history.supervisor.find((event) => event.kind === 'final');
  if (final === undefined) return verdict('every unit returns', 0, [{ at: 0, what: 'the run did not end' }]);
  const { at, held, waiting, limit, probeMs } = final;
  const resized = history.supervisor.findLast((event) => event.kind === 'resized');
  const set = resized?.limit ?? settings.limit;
  const findings: Finding[] = [];
  if (held !== 0) findings.push({ at, what: `${held} units are held in the end` });
  if (waiting !== 0) findings.push({ at, what: `${waiting} wait in the end` });
  if (limit !== set) findings.push({ at, what: `the limit is ${limit} in the end, and was set to ${set}` });
  if (probeMs === null) findings.push({ at, what: 'all units together could not be had in the end' });
  return verdict('every unit returns', 1, findings);
}
