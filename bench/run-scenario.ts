import type { ContenderName } from './contenders/names.ts';
import type { Act, Sample, Scenario, Stage } from './scenario.ts';

/** What a scenario has measured: for each contender a sample a round. */
export interface Outcome {
  readonly scenario: string;
  readonly what: string;
  readonly samples: Partial<Record<ContenderName, readonly Sample[]>>;
  readonly leftOut: Readonly<Record<string, string>>;
  /** Contenders that broke down, and how. */
  readonly failed: Partial<Record<ContenderName, string>>;
}

/** A bench that hangs helps nobody. */
const measureLimitMs = 120_000;

/**
 * All contenders in turn in each round, one at a time. Each keeps its processes over the rounds; the first to go
 * changes from round to round.
 */
export async function runScenario(
  scenario: Scenario,
  stage: Stage,
  rounds: number,
  progress: (line: string) => void,
): Promise<Outcome> {
  const acts = new Map<ContenderName, Act>();
  const samples: Partial<Record<ContenderName, Sample[]>> = {};
  const failed: Partial<Record<ContenderName, string>> = {};
  try {
    for (const contender of scenario.contenders) {
      progress(`${scenario.name}: ${contender} starts`);
      await attempt(contender, failed, async () => {
        acts.set(contender, await scenario.open(contender, stage));
      });
    }
    for (let round = 0; round < rounds; round++) {
      const order = [...acts.keys()];
      for (const contender of [
        ...order.slice(round % order.length),
        ...order.slice(0, round % order.length),
      ]) {
        if (failed[contender] !== undefined) continue;
        progress(`${scenario.name}: round ${round + 1} of ${rounds}, ${contender}`);
        await attempt(contender, failed, async () => {
          const sample = await (acts.get(contender) as Act).measure(round);
          samples[contender] = [...(samples[contender] ?? []), sample];
        });
      }
    }
  } finally {
    await Promise.all([...acts.values()].map((act) => act.close()));
  }
  const { name, what, leftOut } = scenario;
  return { scenario: name, what, samples, leftOut, failed };
}

async function attempt(
  contender: ContenderName,
  failed: Partial<Record<ContenderName, string>>,
  run: () => Promise<void>,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${measureLimitMs / 1000} s`)), measureLimitMs);
  });
  try {
    await Promise.race([run(), late]);
  } catch (error) {
    failed[contender] = error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
