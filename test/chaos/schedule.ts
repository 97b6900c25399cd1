import { allFaultKinds, type FaultKind, traitsOf } from './fault-kinds.ts';
import { Random } from './random.ts';

/** One fault, as it was drawn before the run. */
export interface PlannedFault {
  readonly id: number;
  readonly kind: FaultKind;
  /** When, ms after the first may come. */
  readonly atMs: number;
  /** For how long, ms. */
  readonly forMs: number;
  /** Which worker's place it strikes. */
  readonly slot?: number;
  /** The new limit, the ms by which a clock is set or replies are late, or what a lost reply is the reply to. */
  readonly value?: number;
}

export interface SchedulePlan {
  readonly seed: number;
  readonly durationMs: number;
  readonly workers: number;
  readonly kinds: readonly FaultKind[];
  /** The mean time between faults that strike workers, and between those that strike the server, ms. */
  readonly gapMs: { readonly worker: number; readonly server: number };
  /** The limit that the run begins and ends with. */
  readonly limit: number;
}

/** After a fault of the server it is left alone for so long, so that each can be told from the next. */
const serverRestMs = 500;

/** Draws the faults: a function of the plan alone, so that a run can be made again. */
export function drawSchedule(plan: SchedulePlan): PlannedFault[] {
  const kindsThatStrike = (whom: 'worker' | 'server') =>
    allFaultKinds.filter((kind) => plan.kinds.includes(kind) && traitsOf(kind).strikes === whom);
  const drawn = [
    ...drawForWorkers(plan, kindsThatStrike('worker'), new Random(plan.seed)),
    ...drawForServer(plan, kindsThatStrike('server'), new Random(plan.seed + 0x5eed)),
  ];
  return drawn.sort((a, b) => a.atMs - b.atMs).map((fault, i) => ({ ...fault, id: i + 1 }));
}

type Drawn = Omit<PlannedFault, 'id'>;

/** Faults of different workers overlap; one worker has one at a time. */
function drawForWorkers(plan: SchedulePlan, kinds: readonly FaultKind[], random: Random): Drawn[] {
  const faults: Drawn[] = [];
  const slots = Array.from({ length: plan.workers }, (_, slot) => slot);
  const busyUntilMs: number[] = [];
  for (
    let atMs = random.gap(plan.gapMs.worker);
    atMs < plan.durationMs;
    atMs += random.gap(plan.gapMs.worker)
  ) {
    const free = slots.filter((slot) => (busyUntilMs[slot] ?? 0) <= atMs);
    const slot = random.weighted(free, () => 1);
    const drawn = draw(kinds, random);
    const value = random.below(1_000);
    if (drawn !== undefined && slot !== undefined) {
      busyUntilMs[slot] = atMs + drawn.forMs + 100;
      faults.push({ ...drawn, atMs, slot, value });
    }
  }
  return faults;
}

/** One at a time. */
function drawForServer(plan: SchedulePlan, kinds: readonly FaultKind[], random: Random): Drawn[] {
  const faults: Drawn[] = [];
  for (
    let atMs = random.gap(plan.gapMs.server);
    atMs < plan.durationMs;
    atMs += random.gap(plan.gapMs.server)
  ) {
    const drawn = draw(kinds, random);
    if (drawn === undefined) {
      break;
    }
    const value = drawn.kind === 'resize' ? random.between(2, plan.limit + 3) : random.between(100, 3_000);
    faults.push({ ...drawn, atMs, value });
    atMs += drawn.forMs + serverRestMs;
  }
  return faults;
}

function draw(
  kinds: readonly FaultKind[],
  random: Random,
): { readonly kind: FaultKind; readonly forMs: number } | undefined {
  const kind = random.weighted(kinds, (one) => traitsOf(one).share);
  if (kind === undefined) {
    return undefined;
  }
  const [least, most] = traitsOf(kind).forMs;
  return { kind, forMs: random.between(least, most) };
}
