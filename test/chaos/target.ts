import type { Redis } from 'ioredis';
import type { FaultKind } from './fault-kinds.ts';
import type { PlannedFault } from './schedule.ts';
import type { Address, Detours, Way } from './way.ts';

/** What a run can be made on. */
export const targetKinds = ['standalone', 'sentinel', 'cluster'] as const;

export type TargetKind = (typeof targetKinds)[number];

/** What a maker may say of the fault that it has made. */
export interface FaultOutcome {
  /** When another server had taken over, in the time of the history. */
  readonly servedAt: number;
}

/** Makes a fault; resolves with its end. */
export type Maker = (fault: PlannedFault) => Promise<FaultOutcome | undefined>;

/** The Redis that a chaos run torments. */
export interface Target {
  readonly kind: TargetKind;
  readonly description: string;
  /** Whatever a client may connect to, each the same for the target's whole life. */
  readonly addresses: readonly Address[];
  /** How to get there; past the proxies unless detours are given. */
  way(detours: Detours): Way;
  /** How the servers are struck. */
  readonly makers: Readonly<Partial<Record<FaultKind, Maker>>>;
  /** Which of its faults can't be made on this machine, and why. */
  readonly impossible: ReadonlyMap<FaultKind, string>;
  /** A connection to the server that has the semaphore now. */
  primary(): Promise<Redis>;
  stop(): Promise<void>;
}
