import type { Timeline } from '../stories.ts';
import { type Finding, type Verdict, verdict } from '../verdict.ts';

/** Errors that a request may end with while Redis is tormented. */
const expectedCodes = new Set(['REDIS_UNAVAILABLE', 'WEIGHT_EXCEEDS_LIMIT', 'PERMIT_NOT_HELD']);

/** Nothing is thrown where nobody can catch it, no process ends unasked, and calls fail only as documented. */
export function checkNoStrays({ history, workers, requests, permits }: Timeline): Verdict {
  const findings: Finding[] = [];
  for (const [worker, events] of history.workers) {
    for (const event of events) {
      if (event.kind === 'stray') findings.push({ at: event.at, what: `${worker}: ${event.error}` });
    }
  }
  const killed = new Set(workers.filter(({ wasKilled }) => wasKilled).map(({ worker }) => worker));
  for (const event of history.supervisor) {
    if (event.kind === 'killed') killed.add(event.worker);
    if (event.kind === 'exited' && event.code !== 0 && !killed.has(event.worker)) {
      findings.push({
        at: event.at,
        what: `${event.worker} ended with ${event.signal ?? `code ${event.code}`}`,
      });
    }
  }
  for (const { key, code, endedAt, outcome } of requests) {
    if (outcome === 'error' && !expectedCodes.has(code ?? '')) {
      findings.push({ at: endedAt, what: `${key} failed with ${code}` });
    }
  }
  for (const { permit, releases } of permits) {
    for (const { at, result } of releases) {
      if (typeof result === 'string' && !expectedCodes.has(result)) {
        findings.push({ at, what: `the release of ${permit} failed with ${result}` });
      }
    }
  }
  return verdict('nothing crashes or fails unexpectedly', history.workers.size, findings);
}

export function checkKeys({ history, snapshots }: Timeline): Verdict {
  const findings = history.supervisor
    .filter((event) => event.kind === 'keys without ttl')
    .map(({ at, keys }) => ({ at, what: `no TTL: ${keys.join(', ')}` }));
  return verdict('no key stays for ever', snapshots.length, findings);
}
