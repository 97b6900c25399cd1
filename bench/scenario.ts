import type { ContenderName } from './contenders/names.ts';
import type { Crew } from './crew.ts';
import type { ServerProbe } from './server-probe.ts';

/** One line of the plan in docs/performance.md: what is done, what is measured, and what is to be reached. */
export interface Scenario {
  readonly name: string;
  /** What happens, in a line. */
  readonly what: string;
  readonly contenders: readonly ContenderName[];
  /** Who can't take part, and why. */
  readonly leftOut: Readonly<Record<string, string>>;
  /** Of a full run. */
  readonly rounds: number;
  readonly figures: readonly Figure[];
  readonly reaches: readonly Reach[];
  /** Starts what the contender needs; `measure` is then called once a round, in turn with the other contenders'. */
  open(contender: ContenderName, stage: Stage): Promise<Act>;
}

export interface Figure {
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  /** Whose figure of the same round it is divided by, where no reach says otherwise. */
  readonly reference?: ContenderName;
}

/** What parkade is to reach, itself or as a ratio to another figure of the same round. */
export interface Reach {
  readonly figure: string;
  readonly against?: { readonly contender: ContenderName; readonly figure: string };
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** Figures of one round, by their keys; one that a contender can't have is left out. */
export type Sample = Readonly<Record<string, number>>;

export interface Act {
  measure(round: number): Promise<Sample>;
  /** When all rounds are over. */
  close(): Promise<void>;
}

export interface Stage {
  readonly server: ServerProbe;
  /** The first in a full run, the second in a quick one. */
  pick<T>(full: T, quick: T): T;
  startCrew(contender: ContenderName, processes: number, options: { manyTasks: boolean }): Promise<Crew>;
}
