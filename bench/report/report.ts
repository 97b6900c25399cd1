import type { Outcome } from '../run-scenario.ts';
import type { Scenario } from '../scenario.ts';
import type { Machine } from './machine.ts';
import { type Row, rowsOf } from './rows.ts';

/** All that a run has measured, as `--json` writes it. */
export interface Report {
  readonly machine: Machine;
  /** Scaled down: its figures mean nothing. */
  readonly quick: boolean;
  readonly outcomes: readonly Outcome[];
}

/** The table's rows, in the order of the scenarios. */
export function rowsOfReport({ outcomes }: Report, scenarios: readonly Scenario[]): Row[] {
  return outcomes.flatMap((outcome) => {
    const scenario = scenarios.find(({ name }) => name === outcome.scenario);
    return scenario ? rowsOf(scenario, outcome) : [];
  });
}

/** Who did not take part in what, in a sentence for each scenario. */
export function absencesOf({ outcomes }: Report): string[] {
  return outcomes.flatMap(({ scenario, leftOut }) => {
    const reasons = Object.entries(leftOut).map(([contender, why]) => `${contender} (${why})`);
    return reasons.length === 0 ? [] : [`${scenario} is without ${reasons.join(', ')}.`];
  });
}

/** Contenders that broke down, and how. */
export function breakdownsOf({ outcomes }: Report): string[] {
  return outcomes.flatMap(({ scenario, failed }) =>
    Object.entries(failed).map(([contender, why]) => `${scenario}: ${contender} broke down: ${why}`),
  );
}
