import type { ContenderName } from '../contenders/names.ts';
import type { Outcome } from '../run-scenario.ts';
import type { Figure, Reach, Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';

/** A figure of a contender over all rounds. */
export interface Row {
  readonly scenario: string;
  readonly figure: string;
  readonly key: string;
  readonly unit: string;
  readonly contender: ContenderName;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** The median of the ratios of each round, to whom. */
  readonly ratio: { readonly value: number; readonly to: string } | undefined;
  readonly reach: { readonly text: string; readonly met: boolean } | undefined;
}

export function rowsOf(scenario: Scenario, outcome: Outcome): Row[] {
  return scenario.figures.flatMap((figure) =>
    scenario.contenders.flatMap((contender) => {
      const values = valuesOf(outcome, contender, figure.key);
      if (values.length === 0) return [];
      const reach =
        contender === 'parkade' ? scenario.reaches.find((each) => each.figure === figure.key) : undefined;
      const ratio = ratioOf(scenario, outcome, contender, figure, reach);
      return [
        {
          scenario: scenario.name,
          figure: figure.title,
          key: figure.key,
          unit: figure.unit,
          contender,
          median: median(values),
          least: Math.min(...values),
          most: Math.max(...values),
          ratio,
          reach: reach && judge(reach, reach.against ? (ratio?.value ?? Number.NaN) : median(values)),
        },
      ];
    }),
  );
}

function valuesOf(outcome: Outcome, contender: ContenderName, key: string): number[] {
  return (outcome.samples[contender] ?? []).flatMap((sample) => sample[key] ?? []);
}

function ratioOf(
  scenario: Scenario,
  outcome: Outcome,
  contender: ContenderName,
  figure: Figure,
  reach: Reach | undefined,
): Row['ratio'] {
  const reference =
    contender === 'parkade + OTel' || contender === 'parkade, mute' ? 'parkade' : figure.reference;
  const against =
    reach?.against ??
    (reach === undefined && reference !== undefined && reference !== contender
      ? { contender: reference, figure: figure.key }
      : undefined);
  if (against === undefined) return undefined;
  const samples = outcome.samples[contender] ?? [];
  const references = outcome.samples[against.contender] ?? [];
  const ratios = samples.flatMap((sample, round) => {
    const [value, reference] = [sample[figure.key], references[round]?.[against.figure]];
    return value === undefined || reference === undefined ? [] : value / reference;
  });
  if (ratios.length === 0) return undefined;
  const title = scenario.figures.find(({ key }) => key === against.figure)?.title ?? against.figure;
  return { value: median(ratios), to: against.contender === contender ? title : against.contender };
}

function judge({ against, atLeast, atMost }: Reach, value: number): Row['reach'] {
  const times = against ? ' ×' : '';
  return atLeast === undefined
    ? { text: `≤ ${atMost}${times}`, met: value <= (atMost ?? Number.NaN) }
    : { text: `≥ ${atLeast}${times}`, met: value >= atLeast };
}
