import type { Snapshot } from '../history.ts';
import { requestsByRecord } from '../record-names.ts';
import { ms, overlaps, type PermitStory, type Timeline, type WorkerStory } from '../stories.ts';
import { type Finding, finding, type Verdict, verdict } from '../verdict.ts';
import type { DocumentedWindow } from '../windows.ts';

/** Nobody is granted while somebody who stood before it still stands in line. */
export function checkNoOvertaking(timeline: Timeline, windows: readonly DocumentedWindow[]): Verdict {
  const findings: Finding[] = [];
  const workerOf = workersByRecord(timeline);
  const { snapshots } = timeline;
  let looked = 0;
  for (const { permit, worker, grantedAt, before } of grantsWithThoseBefore(timeline)) {
    const after = snapshots[firstIndex(snapshots, ({ asked }) => asked >= grantedAt)];
    if (after === undefined) continue;
    looked++;
    const passed = after.waiters.filter((record) => before.has(record));
    if (passed.length > 0) {
      const what = `${permit} was granted while ${passed.join(', ')} stood before it and still wait`;
      const others = passed.flatMap((record) => ({ worker: workerOf(record) ?? worker, weight: 1 }));
      const exclusion = { comer: worker, others, excess: others.length, at: grantedAt };
      findings.push(finding(grantedAt, what, windows, (window) => window.covers(exclusion)));
    }
  }
  return verdict('nobody overtakes who still waits', looked, findings);
}

/**
 * Whoever stands before another in line has the lower token in the end.
 *
 * Not so, without any fault of the semaphore, for who was disturbed meanwhile: its message was lost and its token is that
 * of the beat which found the grant, or its network was away for longer than its presence, or its grant came too late and
 * was given back. And not for who was seen to hold while the other still waited.
 */
export function checkTokenOrder(timeline: Timeline, windows: readonly DocumentedWindow[]): Verdict {
  const findings: Finding[] = [];
  const requestOf = requestsByRecord(timeline);
  const heldFirst = new Map<string, number>();
  for (const snapshot of timeline.snapshots) {
    for (const [record] of snapshot.holders) {
      if (!heldFirst.has(record)) heldFirst.set(record, snapshot.asked);
    }
  }
  let looked = 0;
  for (const { permit, token, worker, grantedAt, before, seenAt } of grantsWithThoseBefore(timeline)) {
    for (const record of before) {
      const other = requestOf(record, seenAt)?.permit;
      if (other === undefined) continue;
      looked++;
      if (token > other.token) continue;
      const until = Math.max(grantedAt, other.grantedAt);
      const early = (heldFirst.get(other.permit) ?? until) < (heldFirst.get(permit) ?? until);
      const from = seenAt - timeline.settings.presenceMs * ms;
      if (early || overlaps(other.worker.disturbances, from, until)) continue;
      const what = `${permit} (${token}) was granted before ${other.permit} (${other.token}), which stood before it`;
      const exclusion = { comer: worker, others: [other], excess: 1, at: grantedAt };
      findings.push(finding(grantedAt, what, windows, (window) => window.covers(exclusion)));
    }
  }
  return verdict('grants follow the line', looked, findings);
}

interface GrantInLine extends PermitStory {
  /** The records that stood before it. */
  readonly before: ReadonlySet<string>;
  /** When they were seen there. */
  readonly seenAt: number;
}

/**
 * Who stood before it, for each grant: those in front when it was last seen in line; or, if it never was, those who were
 * in line already when it was asked for.
 */
function* grantsWithThoseBefore({ permits, snapshots }: Timeline): Generator<GrantInLine> {
  const lastSeen = new Map<string, number>();
  snapshots.forEach(({ waiters }, i) => {
    for (const record of waiters) lastSeen.set(record, i);
  });
  for (const permit of permits) {
    const seen = lastSeen.get(permit.permit);
    const index = seen ?? firstIndex(snapshots, ({ at }) => at > permit.request.askedAt) - 1;
    const snapshot = snapshots[index];
    if (snapshot === undefined || snapshot.asked > permit.grantedAt) continue;
    const place = seen === undefined ? snapshot.waiters.length : snapshot.waiters.indexOf(permit.permit);
    yield { ...permit, before: new Set(snapshot.waiters.slice(0, place)), seenAt: snapshot.at };
  }
}

/** The first for which the condition holds; it holds for all after it, too. */
function firstIndex(snapshots: readonly Snapshot[], condition: (snapshot: Snapshot) => boolean): number {
  let [low, high] = [0, snapshots.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (condition(snapshots[middle] as Snapshot)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function workersByRecord({ workers }: Timeline): (record: string) => WorkerStory | undefined {
  const byClient = new Map(workers.map((worker) => [worker.client, worker]));
  return (record) => byClient.get(record.slice(0, record.indexOf('/')));
}
