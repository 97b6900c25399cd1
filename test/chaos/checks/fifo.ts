import { harmlessKinds, quietKinds } from '../fault-kinds.ts';
import type { Snapshot } from '../history.ts';
import { requestsByRecord } from '../record-names.ts';
import { longestPeace, ms, overlaps, type PermitStory, type Timeline, type WorkerStory } from '../stories.ts';
import { type Finding, finding, type Verdict, verdict } from '../verdict.ts';
import type { DocumentedWindow } from '../windows.ts';

/**
 * A check-in that meets a grant before its message does draws a fresh token for it. Tokens are µs of the server's clock,
 * and a message is faster than this where nothing disturbs: an event loop that takes longer is in the history.
 */
const lookUs = 20_000;
/** That is rare: a greater part of the grants in line than this is none of check-ins. */
const mostLooks = 1 / 200;

/** Nobody is granted while somebody who stood before it still stands in line. */
export function checkNoOvertaking(timeline: Timeline, windows: readonly DocumentedWindow[]): Verdict {
  const findings: Finding[] = [];
  const workerOf = workersByRecord(timeline);
  const hasLeft = leavers(timeline);
  const isSilent = silentWaiters(timeline);
  const requestOf = requestsByRecord(timeline);
  const heldFirst = firstHeld(timeline);
  const { snapshots } = timeline;
  let looked = 0;
  for (const { permit, worker, grantedAt, before, atLast, seenAt } of grantsWithThoseBefore(timeline)) {
    const after = snapshots[firstIndex(snapshots, ({ asked }) => asked >= grantedAt)];
    if (after === undefined) continue;
    looked++;
    const servedBy = Math.min(grantedAt, heldFirst.get(permit)?.at ?? grantedAt);
    const passed = after.waiters.filter(
      (record) =>
        before.has(record) &&
        (requestOf(record, grantedAt)?.endedAt ?? grantedAt) >= grantedAt &&
        (atLast.has(record) || !hasLeft(record, seenAt, grantedAt)) &&
        !isSilent(record, servedBy),
    );
    if (passed.length > 0) {
      const what = `${permit} was granted while ${passed.join(', ')} stood before it and still wait`;
      const others = passed.map((record) => ({ worker: workerOf(record) ?? worker, weight: 1 }));
      const exclusion = { comer: worker, others, excess: others.length, at: grantedAt };
      findings.push(finding(grantedAt, what, windows, (window) => window.covers(exclusion)));
    }
  }
  return verdict('nobody overtakes who still waits', looked, findings);
}

/**
 * Whether who waits may have said nothing for its presence time, and so was passed as one who is not there: it comes back
 * later, to its place if data was lost meanwhile, to the end if its acquire was sent again.
 */
function silentWaiters({ faults, settings, ...timeline }: Timeline): (record: string, at: number) => boolean {
  const workerOf = workersByRecord(timeline);
  const presenceUs = settings.presenceMs * ms;
  return (record, at) => {
    const worker = workerOf(record);
    if (worker === undefined) return false;
    const struck = faults.filter(({ slot, kind }) => slot === worker.slot && !harmlessKinds.has(kind));
    return longestPeace([...struck, ...worker.pauses], at - presenceUs, at) < presenceUs / 3;
  };
}

/** The first snapshot in which each permit was held. */
function firstHeld({ snapshots }: Timeline): ReadonlyMap<string, Snapshot> {
  const first = new Map<string, Snapshot>();
  for (const snapshot of snapshots) {
    for (const [record] of snapshot.holders) {
      if (!first.has(record)) first.set(record, snapshot);
    }
  }
  return first;
}

/** Whether a record may have left the line in between and come back behind: its request ended, or was sent anew. */
function leavers(timeline: Timeline): (record: string, from: number, to: number) => boolean {
  const requestOf = requestsByRecord(timeline);
  return (record, from, to) => {
    const request = requestOf(record, to);
    if (request === undefined || request.endedAt < to) return true;
    const { worker } = request;
    const cuts = timeline.faults.filter(
      ({ kind, slot }) => (slot ?? worker.slot) === worker.slot && !quietKinds.has(kind),
    );
    return overlaps([...cuts, ...worker.pauses], from - timeline.settings.presenceMs * ms, to);
  };
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
  const heldFirst = firstHeld(timeline);
  const looks: Finding[] = [];
  let looked = 0;
  let grants = 0;
  for (const { permit, token, worker, grantedAt, before, seenAt } of grantsWithThoseBefore(timeline)) {
    grants++;
    for (const record of before) {
      const other = requestOf(record, seenAt)?.permit;
      if (other === undefined) continue;
      looked++;
      if (token > other.token) continue;
      const until = Math.max(grantedAt, other.grantedAt);
      const early = (heldFirst.get(other.permit)?.asked ?? until) < (heldFirst.get(permit)?.asked ?? until);
      const from = seenAt - timeline.settings.presenceMs * ms;
      if (early || overlaps(other.worker.disturbances, from, until)) continue;
      const what = `${permit} (${token}) was granted before ${other.permit} (${other.token}), which stood before it`;
      const exclusion = {
        comer: worker,
        others: [{ worker: other.worker, weight: 1 }],
        excess: 1,
        at: grantedAt,
      };
      const found = finding(grantedAt, what, windows, (window) => window.covers(exclusion));
      (other.token - token < lookUs && found.window === undefined ? looks : findings).push(found);
    }
  }
  const areLooks = looks.length <= Math.max(1, grants * mostLooks);
  const window = 'a check-in that was faster than the message';
  findings.push(...(areLooks ? looks.map((look) => ({ ...look, window })) : looks));
  return verdict('grants follow the line', looked, findings);
}

interface GrantInLine extends PermitStory {
  /** The records that stood before it, whenever it was seen in line, and have not been seen to hold since. */
  readonly before: ReadonlySet<string>;
  /** Those of them who did so when it was last seen. */
  readonly atLast: ReadonlySet<string>;
  /** When it was first seen. */
  readonly seenAt: number;
}

/**
 * Who stood before it, for each grant. If it never was seen in line: who was there already when it was asked for. Who was
 * seen to hold in between has had its turn: where it comes back, as by a late copy of its acquire, it does so behind.
 */
function* grantsWithThoseBefore({ permits, snapshots }: Timeline): Generator<GrantInLine> {
  const seen = new Map<string, { before: Map<string, number>; atLast: readonly string[]; seenAt: number }>();
  const heldAt = new Map<string, number[]>();
  // A late copy of its acquire may bring a record back into the line after its grant: to no end, and for a moment.
  const grantedAt = new Map(permits.map((permit) => [permit.permit, permit.grantedAt]));
  for (const { waiters, holders, at, asked } of snapshots) {
    for (const [record] of holders) {
      const times = heldAt.get(record);
      if (times === undefined) heldAt.set(record, [at]);
      else times.push(at);
    }
    waiters.forEach((record, i) => {
      if (asked >= (grantedAt.get(record) ?? Number.POSITIVE_INFINITY)) return;
      const atLast = waiters.slice(0, i);
      const earlier = seen.get(record);
      const before = earlier?.before ?? new Map<string, number>();
      for (const other of atLast) before.set(other, at);
      seen.set(record, { before, atLast, seenAt: earlier?.seenAt ?? at });
    });
  }
  const servedSince = (record: string, from: number, to: number) =>
    heldAt.get(record)?.some((at) => from < at && at <= to) ?? false;
  for (const permit of permits) {
    const inLine = seen.get(permit.permit);
    if (inLine !== undefined) {
      const before = [...inLine.before].filter(([record, at]) => !servedSince(record, at, permit.grantedAt));
      const records = new Set(before.map(([record]) => record));
      const atLast = new Set(inLine.atLast.filter((record) => records.has(record)));
      yield { ...permit, before: records, atLast, seenAt: inLine.seenAt };
      continue;
    }
    const last = snapshots[firstIndex(snapshots, ({ at }) => at > permit.request.askedAt) - 1];
    if (last === undefined) continue;
    const before = new Set(last.waiters.filter((record) => !servedSince(record, last.at, permit.grantedAt)));
    yield { ...permit, before, atLast: before, seenAt: last.at };
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

function workersByRecord({
  workers,
}: Pick<Timeline, 'workers'>): (record: string) => WorkerStory | undefined {
  const byClient = new Map(workers.map((worker) => [worker.client, worker]));
  return (record) => byClient.get(record.slice(0, record.indexOf('/')));
}
