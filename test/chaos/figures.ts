import { type FaultKind, traitsOf } from './fault-kinds.ts';
import { ms, type Timeline } from './stories.ts';

/** What a run amounts to. */
export interface Figures {
  readonly seconds: number;
  /** Requests and releases. */
  readonly operations: number;
  readonly grants: number;
  readonly lost: number;
  /** How requests ended, by outcome or error. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly lives: number;
  readonly snapshots: number;
  readonly staleWritesRefused: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** The longest time from the end of a fault of each kind to the next grant: of anybody, or of the worker it struck. */
  readonly longestRecoveryMs: Readonly<Partial<Record<FaultKind, number>>>;
  /** From the end of the faults until the last request from before was settled. */
  readonly settledAfterMs: number;
  /** Faults that could not be made as planned. */
  readonly notes: readonly string[];
}

export function figuresOf(timeline: Timeline): Figures {
  const { requests, permits, faults, snapshots, history, phases, workers } = timeline;
  const calmAt = phases.calm ?? timeline.endAt;
  const outcomes: Record<string, number> = {};
  for (const { outcome, code, worker } of requests) {
    const name = outcome === 'open' && worker.wasKilled ? 'killed' : (code ?? outcome);
    outcomes[name] = (outcomes[name] ?? 0) + 1;
  }
  const counts: Partial<Record<FaultKind, number>> = {};
  const recovery: Partial<Record<FaultKind, number>> = {};
  for (const fault of faults) {
    counts[fault.kind] = (counts[fault.kind] ?? 0) + 1;
    recovery[fault.kind] = Math.max(recovery[fault.kind] ?? 0, recoveryMs(fault, timeline));
  }
  const before = requests.filter(({ askedAt, worker }) => askedAt < calmAt && !worker.wasKilled);
  const lastSettled = before.reduce((latest, { endedAt }) => Math.max(latest, endedAt), calmAt);
  return {
    seconds: Math.round((calmAt - (phases.faults ?? calmAt)) / 1e6),
    operations: requests.length + permits.reduce((sum, { releases }) => sum + releases.length, 0),
    grants: permits.length,
    lost: permits.filter(({ lostAt }) => lostAt !== undefined).length,
    outcomes,
    lives: workers.length,
    snapshots: snapshots.length,
    staleWritesRefused: history.supervisor.filter(({ kind }) => kind === 'store refused').length,
    faults: counts,
    longestRecoveryMs: recovery,
    settledAfterMs: Math.round((lastSettled - calmAt) / ms),
    notes: faults.flatMap(({ kind, note }) => (note === undefined ? [] : [`${kind}: ${note}`])),
  };
}

function recoveryMs(
  { kind, slot, to }: Timeline['faults'][number],
  { permits, faults, endAt }: Timeline,
): number {
  const mine = traitsOf(kind).strikes === 'worker';
  const next = permits.find(({ grantedAt, worker }) => grantedAt > to && (!mine || worker.slot === slot));
  if (next === undefined) return 0;
  // What another fault took does not count as this one's recovery.
  const others = faults
    .filter(
      (other) =>
        other.from >= to &&
        other.from < next.grantedAt &&
        (!mine || other.slot === slot || other.slot === undefined),
    )
    .map(({ from }) => from);
  return Math.round((Math.min(next.grantedAt, endAt, ...others) - to) / ms);
}
