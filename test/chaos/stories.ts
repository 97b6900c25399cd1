/** The stories that a history tells: of each fault, worker, request and permit. Built by timeline.ts. */
import type { FaultKind } from './fault-kinds.ts';
import type { ChaosSettings, History, Refusal, ReleaseKind, Snapshot } from './history.ts';

/** A ms in the unit of the history. */
export const ms = 1_000;

export interface Interval {
  readonly from: number;
  readonly to: number;
}

export interface FaultStory extends Interval {
  readonly id: number;
  readonly kind: FaultKind;
  readonly slot: number | undefined;
  readonly value: number;
  readonly note: string | undefined;
  /** When Redis could be used again: another server had taken over, or the same was back. */
  readonly servedAt: number;
}

export interface WorkerStory {
  readonly worker: string;
  readonly slot: number;
  /** The first field of its records. */
  readonly client: string;
  readonly startedAt: number;
  /** When it was killed, or ended. */
  readonly endedAt: number;
  readonly wasKilled: boolean;
  /** When it was last known to run. */
  readonly lastSignAt: number;
  /** Its event loop did not turn. */
  readonly pauses: readonly Interval[];
  /** Faults that struck it, or all, with the time that it takes to connect again and look. */
  readonly disturbances: readonly Interval[];
  /** When it was first told anything of the semaphore. */
  readonly firstAnswerAt: number;
}

export interface RequestStory {
  readonly key: string;
  readonly worker: WorkerStory;
  readonly weight: number;
  readonly leaseMs: number;
  readonly askedAt: number;
  /** When it was granted or refused; `Infinity` if never. */
  endedAt: number;
  outcome: 'granted' | Refusal | 'open';
  code: string | undefined;
  permit: PermitStory | undefined;
}

export interface PermitStory {
  readonly permit: string;
  readonly request: RequestStory;
  readonly worker: WorkerStory;
  readonly weight: number;
  readonly token: number;
  readonly grantedAt: number;
  /** `isHeld` said so when it was granted. */
  readonly heldAtFirst: boolean;
  lostAt: number | undefined;
  /** When the event loop was last seen to turn before the signal aborted. */
  lostTickAt: number | undefined;
  lastTrustAt: number | undefined;
  releasingAt: number | undefined;
  heldAtRelease: boolean | undefined;
  readonly releases: {
    readonly at: number;
    readonly which: ReleaseKind;
    readonly result: boolean | string;
  }[];
}

export interface Timeline {
  readonly settings: ChaosSettings;
  readonly workers: readonly WorkerStory[];
  readonly requests: readonly RequestStory[];
  /** By the time at which their holders knew of them. */
  readonly permits: readonly PermitStory[];
  readonly foreignReleases: readonly {
    at: number;
    worker: string;
    permit: string;
    result: boolean | string;
  }[];
  readonly faults: readonly FaultStory[];
  readonly snapshots: readonly Snapshot[];
  /** When each phase began. */
  readonly phases: Readonly<Partial<Record<'faults' | 'calm' | 'drain' | 'done', number>>>;
  readonly endAt: number;
  readonly history: History;
}

export function overlaps(intervals: readonly Interval[], from: number, to: number): boolean {
  return intervals.some((interval) => interval.from < to && interval.to > from);
}

/** When nothing has disturbed for so long, at the first. */
export function inPeaceAt(disturbances: readonly Interval[], from: number, forUs: number): number {
  let quietFrom = from;
  for (const disturbance of [...disturbances].sort((a, b) => a.from - b.from)) {
    if (disturbance.from - quietFrom >= forUs) break;
    quietFrom = Math.max(quietFrom, disturbance.to);
  }
  return quietFrom + forUs;
}

/** The longest time between two moments in which nothing disturbed. */
export function longestPeace(disturbances: readonly Interval[], from: number, to: number): number {
  let longest = 0;
  let quietFrom = from;
  for (const disturbance of [...disturbances].sort((a, b) => a.from - b.from)) {
    longest = Math.max(longest, Math.min(disturbance.from, to) - quietFrom);
    quietFrom = Math.max(quietFrom, disturbance.to);
  }
  return Math.max(longest, to - quietFrom);
}
