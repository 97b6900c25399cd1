import { traitsOf } from '../fault-kinds.ts';
import type { Snapshot } from '../history.ts';
import { checkInMs } from '../settings.ts';
import { longestPeace, ms, type PermitStory, type Timeline } from '../stories.ts';
import { type Finding, finding, type Verdict, verdict } from '../verdict.ts';
import type { DocumentedWindow } from '../windows.ts';

/** Timers of a process that runs are not later than this, on a machine that is busy. */
const lateMs = 30;

/** At no grant does the weight of what holders rely on exceed the limit, this grant included. */
export function checkOverIssue(timeline: Timeline, windows: readonly DocumentedWindow[]): Verdict {
  const findings = sweep(timeline, windows, reliedUntil, 'relied on');
  return verdict('never more held than the limit', timeline.permits.length, findings);
}

/** The same, seen from the signal: it aborts before the server grants to another, as long as the process runs. */
export function checkToldInTime(timeline: Timeline, windows: readonly DocumentedWindow[]): Verdict {
  const lost = timeline.permits.filter(({ lostAt }) => lostAt !== undefined);
  const findings = sweep(timeline, windows, toldAt, 'not told to be lost');
  return verdict('the signal comes before another grant', lost.length, findings);
}

/** In Redis itself: units held rise above the limit only by restoration, or by a smaller limit. */
export function checkServerCount(timeline: Timeline): Verdict {
  const findings: Finding[] = [];
  const { snapshots, permits } = timeline;
  const grantedAt = new Map(permits.map((permit) => [permit.permit, permit.grantedAt]));
  const seen = new Set<string>();
  snapshots.forEach((snapshot, i) => {
    const weight = snapshot.holders.reduce((sum, [, one]) => sum + one, 0);
    const before = snapshots[i - 1];
    if (snapshot.held !== weight) {
      findings.push({ at: snapshot.at, what: `held is ${snapshot.held}, but the permits weigh ${weight}` });
    }
    // What was held already is put back after a loss, even if that exceeds the limit. There is no window in which more is
    // granted: whoever forgot, no server counts beyond the limit that it knows.
    const losses = timeline.faults.filter(
      ({ kind, from }) => traitsOf(kind).loses !== undefined && from <= snapshot.at,
    );
    if (before !== undefined && before.limit === snapshot.limit && snapshot.held > snapshot.limit) {
      // Lost between the two looks, a permit may be put back before the second, and so be there at both.
      const lostBetween = losses.some(({ to }) => to >= before.asked);
      const put = losses.length === 0 ? [] : returned(snapshot, before, lostBetween);
      const granted = put.reduce((sum, [, one]) => sum - one, snapshot.held);
      if (granted > (lostBetween ? snapshot.limit : before.held)) {
        const what = `${snapshot.held} of ${snapshot.limit} held, ${before.held} before`;
        findings.push({ at: snapshot.at, what });
      }
    }
    for (const [record] of snapshot.holders) seen.add(record);
  });
  return verdict('Redis never has more held than the limit', snapshots.length, findings);

  /** The permits that had been granted by the look before; if all may have been lost since, also those that it saw. */
  function returned(now: Snapshot, before: Snapshot, lostBetween: boolean): Snapshot['holders'] {
    const were = new Set(before.holders.map(([record]) => record));
    return now.holders.filter(([record]) =>
      were.has(record) ? lostBetween : seen.has(record) || (grantedAt.get(record) ?? now.at) < before.asked,
    );
  }
}

/** Until when the holder may have relied on it: it asked `isHeld`, or ran and had not been told. */
export function reliedUntil(permit: PermitStory): number {
  const { worker, grantedAt, heldAtFirst, releasingAt, heldAtRelease, lastTrustAt = 0 } = permit;
  if (!heldAtFirst) return grantedAt;
  const { lostAt, lostTickAt } = permit;
  let until = worker.endedAt;
  if (lostAt !== undefined) {
    until = ranUntil(permit, Math.min(lostAt, lostTickAt ?? lostAt));
  } else if (releasingAt !== undefined) {
    until = heldAtRelease ? releasingAt : ranUntil(permit, Math.min(releasingAt, lostTickAt ?? releasingAt));
  } else {
    // It was killed with it, perhaps while it did not run.
    const pause = worker.pauses.find(({ from, to }) => from < worker.endedAt && to >= worker.endedAt);
    until = Math.min(until, worker.lastSignAt + 120 * ms, pause?.from ?? until);
  }
  return Math.max(Math.min(until, worker.endedAt), lastTrustAt, grantedAt);
}

/** When its process ran for the last time before: what it is told right after a pause, it is told as soon as it can be. */
function ranUntil({ worker }: PermitStory, at: number): number {
  const froms = worker.pauses
    .filter(({ from, to }) => from < at && at < to + lateMs * ms)
    .map(({ from }) => from);
  return froms.length === 0 ? at : Math.min(...froms);
}

/** Until when a process that ran had not been told that the permit was lost. */
function toldAt(permit: PermitStory): number {
  const { lostAt, lostTickAt = 0 } = permit;
  const ranOnTime =
    lostAt !== undefined && lostAt - lostTickAt < lateMs * ms && ranUntil(permit, lostAt) === lostAt;
  return ranOnTime ? lostAt - lateMs * ms : reliedUntil(permit);
}

function sweep(
  timeline: Timeline,
  windows: readonly DocumentedWindow[],
  untilOf: (permit: PermitStory) => number,
  how: string,
): Finding[] {
  const findings: Finding[] = [];
  const limitAt = limits(timeline);
  let open: PermitStory[] = [];
  for (const granted of timeline.permits) {
    if (untilOf(granted) <= granted.grantedAt) continue;
    open = open.filter((permit) => untilOf(permit) > granted.grantedAt);
    const others = open;
    open = [...open, granted];
    const weight = open.reduce((sum, permit) => sum + permit.weight, 0);
    const limit = limitAt(granted.request.askedAt, granted.grantedAt);
    if (weight > limit) {
      const list = others.map(({ permit, token }) => `${permit} (${token})`).join(', ');
      const what = `${granted.permit} (${granted.token}) granted with ${weight} of ${limit} ${how}: ${list}`;
      const exclusion = { comer: granted.worker, others, excess: weight - limit, at: granted.grantedAt };
      const covers = (window: DocumentedWindow) => window.covers(exclusion);
      findings.push(finding(granted.grantedAt, what, windows, covers));
    }
  }
  return findings;
}

/** The highest limit that may have been in force at any time between two moments. */
export function limits(timeline: Timeline): (from: number, to: number) => number {
  const { settings, history } = timeline;
  const changes = history.supervisor
    .filter((event) => event.kind === 'resized')
    .map((change) => ({ ...change, forgottenAt: forgottenAt(change, timeline) }));
  return (from, to) => {
    let inForce = settings.limit;
    let highest = 0;
    for (const { asked, at, limit, forgottenAt } of changes) {
      if (at < from) {
        inForce = forgottenAt <= to ? Math.max(inForce, limit) : limit;
      } else if (asked <= to) {
        highest = Math.max(highest, limit);
      }
    }
    return Math.max(highest, inForce);
  };
}

/**
 * From when a limit may be an earlier one again: data was lost before everyone had heard of it, and whoever restores first
 * says the limit that it knows.
 */
function forgottenAt(
  { asked, at }: { readonly asked: number; readonly at: number },
  { faults, workers, settings }: Timeline,
): number {
  const losses = faults.filter(({ kind, from, to }) => {
    const somebodyIsDeaf = workers.some(
      ({ startedAt, endedAt, disturbances }) =>
        startedAt < from && endedAt > from && longestPeace(disturbances, at, from) < checkInMs(settings) * ms,
    );
    return traitsOf(kind).loses !== undefined && to > asked && somebodyIsDeaf;
  });
  return Math.min(Number.POSITIVE_INFINITY, ...losses.map(({ from }) => from));
}
