import { Machine, type Step } from './machine.ts';
import type { MemoisedServer } from './memoised-server.ts';
import { attemptTimeoutMs, clientNames, leaseMs, type Program, presenceMs } from './program.ts';
import { firstWorld, keyOf, stateKeyOf, type World } from './world.ts';

/**
 * Within what time after the last fault everything must have come to its end: a lease, the beat that finds it; the
 * presence of all who died, once more after a silence, and the beats; a subscriber that has to be replaced; a closed
 * window; attempts that are made again.
 */
export const settledWithinMs = leaseMs + 3.5 * presenceMs + 2 * (attemptTimeoutMs + 1_000);

export interface Figures {
  /** Different states, each with every step that is possible there. */
  states: number;
  steps: number;
  /** Of them, that scripts were executed in. */
  executions: number;
  /** Steps of the ways on which states came to their end without further faults, each counted once. */
  endingSteps: number;
  /** The longest such way, virtual ms. */
  longestEndMs: number;
  clientStates: number;
  dataStates: number;
  scriptRuns: number;
}

export interface Counterexample {
  readonly steps: readonly Step[];
  readonly faults: readonly string[];
}

export interface Exploration {
  readonly figures: Figures;
  readonly counterexample: Counterexample | undefined;
  /** Whether `mostStates` ended it. */
  readonly isWhole: boolean;
}

export interface ExploreOptions {
  readonly mostStates?: number;
  readonly progress?: (figures: Figures, waiting: number) => void;
}

interface Place {
  readonly world: World;
  readonly before: Place | undefined;
  readonly step: Step | undefined;
}

/**
 * Goes through every state that a program can come to, the nearest first, so that a counterexample is as short as can
 * be. From each state the world is also let run without faults to its end, which has to come in time.
 */
export async function explore(
  program: Program,
  server: MemoisedServer,
  { mostStates = Number.POSITIVE_INFINITY, progress }: ExploreOptions = {},
): Promise<Exploration> {
  const machine = new Machine(program, server);
  const texts = new Map<string, number>();
  const numberOf = (text: string) => {
    const known = texts.get(text) ?? texts.size;
    texts.set(text, known);
    return known;
  };
  const figures: Figures = {
    states: 0,
    steps: 0,
    executions: 0,
    endingSteps: 0,
    longestEndMs: 0,
    clientStates: 0,
    dataStates: 0,
    scriptRuns: 0,
  };
  const count = () => {
    const { states, runs } = server.counts;
    Object.assign(figures, { clientStates: machine.clientStates, dataStates: states, scriptRuns: runs });
  };
  const endings = new Map<string, number>();

  /** Lets it run to its end. Returns how long that takes, or what is wrong and the steps to there. */
  const end = async (start: World): Promise<number | Counterexample> => {
    const way: { readonly key: string; readonly atMs: number }[] = [];
    const steps: Step[] = [];
    let world = start;
    let leftMs: number | undefined;
    while (leftMs === undefined) {
      const key = stateKeyOf(world, numberOf);
      leftMs = endings.get(key);
      if (leftMs !== undefined) break;
      way.push({ key, atMs: world.nowMs });
      const step = machine.natural(world);
      const tookMs = world.nowMs - start.nowMs;
      if (step === undefined) {
        if (!machine.isOver(world))
          return { steps, faults: ['nothing happens any more, and not all has come to its end'] };
        leftMs = 0;
      } else if (tookMs > settledWithinMs || steps.length > 5_000) {
        return { steps, faults: [`after ${tookMs} ms without a fault not all has come to its end`] };
      } else {
        const { world: next, faults } = await machine.take(world, step);
        steps.push(step);
        figures.endingSteps++;
        if (faults.length > 0) return { steps, faults };
        world = next;
      }
    }
    const endMs = world.nowMs + leftMs;
    for (const { key, atMs } of way) endings.set(key, endMs - atMs);
    const tookMs = endMs - start.nowMs;
    figures.longestEndMs = Math.max(figures.longestEndMs, tookMs);
    return tookMs <= settledWithinMs
      ? tookMs
      : { steps, faults: [`it takes ${tookMs} ms without a fault until all has come to its end`] };
  };

  const seen = new Set<string>();
  let now: Place[] = [{ world: firstWorld(program), before: undefined, step: undefined }];
  let lastMs = performance.now();
  while (now.length > 0) {
    const next: Place[] = [];
    for (const place of now) {
      if (figures.states >= mostStates) {
        count();
        return { figures, counterexample: undefined, isWhole: false };
      }
      figures.states++;
      const ended = await end(place.world);
      if (typeof ended !== 'number') {
        count();
        const steps = [...stepsTo(place), ...ended.steps];
        return { figures, counterexample: { steps, faults: ended.faults }, isWhole: false };
      }
      for (const step of machine.possible(place.world)) {
        const { world, faults } = await machine.take(place.world, step);
        figures.steps++;
        if (['execute', 'late', 'overtake'].includes(step.kind)) figures.executions++;
        const there = { world, before: place, step };
        if (faults.length > 0) {
          count();
          return { figures, counterexample: { steps: stepsTo(there), faults }, isWhole: false };
        }
        const key = keyOf(world, numberOf);
        if (!seen.has(key)) {
          seen.add(key);
          next.push(there);
        }
      }
      if (progress !== undefined && performance.now() - lastMs > 1_000) {
        lastMs = performance.now();
        count();
        progress(figures, now.length + next.length);
      }
    }
    now = next;
  }
  count();
  return { figures, counterexample: undefined, isWhole: true };
}

function stepsTo(place: Place): Step[] {
  const steps: Step[] = [];
  for (let at: Place | undefined = place; at?.step !== undefined; at = at.before) steps.push(at.step);
  return steps.reverse();
}

/** As `--replay` takes them: `a.op a.execute time …`. */
export function writeSteps(steps: readonly Step[]): string {
  return steps.map(({ kind, to }) => (to < 0 ? kind : `${clientNames[to]}.${kind}`)).join(' ');
}

export function readSteps(text: string): Step[] {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => {
      const [client, kind] = word.includes('.') ? (word.split('.') as [string, string]) : ['', word];
      return { kind: kind as Step['kind'], to: (clientNames as readonly string[]).indexOf(client) };
    });
}
