import { requestsByRecord } from '../record-names.ts';
import { reconnectMs, slackMs } from '../settings.ts';
import { ms, overlaps, type RequestStory, type Timeline } from '../stories.ts';
import { type Finding, type Verdict, verdict } from '../verdict.ts';

/**
 * Nothing is held for who has given up, released or lost it: its units would idle. Whoever is left in peace gives them
 * back at once; otherwise they come back with the lease.
 */
export function checkNothingLingers(timeline: Timeline): Verdict {
  const { permits, snapshots, settings, faults } = timeline;
  const requestOf = requestsByRecord(timeline);
  const findings: Finding[] = [];
  const told = new Set<string>();
  const peaceUs = (settings.presenceMs + reconnectMs) * ms;
  const longUs = (settings.leaseMs[1] + settings.presenceMs + settings.unavailableAfterMs) * ms;
  for (const { asked, holders } of snapshots) {
    for (const [record] of holders) {
      const request = requestOf(record, asked);
      const overAt = request === undefined ? Number.POSITIVE_INFINITY : endOf(request);
      if (request === undefined || asked - overAt < slackMs * ms || told.has(record)) continue;
      const { worker } = request;
      const peace =
        asked < worker.endedAt &&
        !overlaps([...worker.disturbances, ...worker.pauses], overAt - peaceUs, asked);
      const awayUs = faults
        .filter(({ from, to }) => from < asked && to > overAt)
        .reduce((sum, { from, to }) => sum + to - from, 0);
      if (peace || asked - overAt > longUs + awayUs) {
        told.add(record);
        const sinceMs = Math.round((asked - overAt) / ms);
        findings.push({ at: asked, what: `${record} is still held, ${sinceMs} ms after its end` });
      }
    }
  }
  return verdict('what has ended does not linger', permits.length, findings);
}

/** When the units are wanted no more. */
function endOf({ outcome, endedAt, permit, worker }: RequestStory): number {
  const end =
    outcome === 'granted'
      ? Math.min(permit?.lostAt ?? Infinity, permit?.releases[0]?.at ?? Infinity)
      : endedAt;
  return worker.wasKilled ? Math.min(end, worker.endedAt) : end;
}
