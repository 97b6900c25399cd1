/**
 * When exclusion may fail, as docs/design.md says under "When Redis forgets", as data: computed from the faults that were
 * made, never from what the implementation did.
 */
import { harmlessKinds, traitsOf } from './fault-kinds.ts';
import { checkInMs, reconnectMs, slackMs } from './settings.ts';
import { type FaultStory, type Interval, inPeaceAt, ms, type Timeline, type WorkerStory } from './stories.ts';

/** Who runs again has heard of the server after this time. */
const hearMs = 500;

export interface DocumentedWindow extends Interval {
  readonly why: string;
  covers(broken: Exclusion): boolean;
}

/** A grant that should not have been made. */
export interface Exclusion {
  readonly comer: WorkerStory;
  /** Who held beside it, and since when; or stood before it. */
  readonly others: readonly Other[];
  /** How much of the weight of the others was too much. */
  readonly excess: number;
  readonly at: number;
}

export interface Other {
  readonly worker: WorkerStory;
  readonly weight: number;
  /** When it was granted what it holds; not said of who stands in line. */
  readonly grantedAt?: number;
}

/** Whether those alone account for what was too much. */
function suffices(others: readonly Other[], excess: number): boolean {
  return others.reduce((sum, { weight }) => sum + weight, 0) >= excess;
}

/** Those who had what they have at a moment, or may have had. */
function before(others: readonly Other[], at: number): Other[] {
  return others.filter(({ grantedAt = at }) => grantedAt <= at);
}

export function documentedWindows(timeline: Timeline): DocumentedWindow[] {
  return timeline.faults.flatMap((fault) => {
    if (fault.kind === 'clock-forward') return [leap(fault, timeline), unheard(fault)];
    switch (traitsOf(fault.kind).loses) {
      case 'all':
        return [newcomers(fault, timeline), unreachable(fault, timeline)];
      case 'latest':
        return [stale(fault, timeline), unreachable(fault, timeline)];
      default:
        return [];
    }
  });
}

/** A process that never knew the lost data may be granted before the first restorer arrives. */
function newcomers(fault: FaultStory, { settings }: Timeline): DocumentedWindow {
  const backMs = fault.kind === 'forget' ? reconnectMs : 0;
  return {
    why: `a newcomer before the first restorer (${fault.kind} ${fault.id})`,
    from: fault.from,
    to: fault.to + (backMs + checkInMs(settings) + slackMs) * ms,
    covers: ({ comer, others, excess }) =>
      comer.firstAnswerAt >= fault.from && suffices(before(others, fault.to), excess),
  };
}

/**
 * A replica that took over may lack the latest writes, which shows when those who made them check in. What is granted after
 * it has taken over is in its data: only who held, or stood in line, before that can be the one who was forgotten.
 */
function stale(fault: FaultStory, { settings }: Timeline): DocumentedWindow {
  const foundMs = reconnectMs + checkInMs(settings);
  // A primary that was frozen goes on as one when it runs again, until it hears that it was replaced.
  const replacedAt = fault.kind === 'freeze-primary' ? fault.to + slackMs * ms : fault.servedAt;
  return {
    why: `a replica took over that may lack the latest (${fault.kind} ${fault.id})`,
    from: fault.from,
    to: fault.to + (foundMs + slackMs) * ms,
    covers: ({ others, excess }) => suffices(before(others, replacedAt + hearMs * ms), excess),
  };
}

/**
 * Who can not reach Redis, or does not run, while the semaphore is closed: its permits until their leases end, its places in
 * line until it is back.
 *
 * The first who is back closes the semaphore, at the earliest when Redis can be used again. Whoever is left in peace from
 * then on is back in time: on one server clients pause for a quarter of the presence time at most before they connect again,
 * and the pauses of the connections that are lent elsewhere, of ioredis, have not grown beyond a third of it in an outage of
 * four seconds.
 */
function unreachable(fault: FaultStory, { settings, faults }: Timeline): DocumentedWindow {
  const { loses, cutsAll } = traitsOf(fault.kind);
  const closedUs = (settings.presenceMs / 2) * ms;
  const backUs = (loses === 'latest' || cutsAll ? reconnectMs : 0) * ms;
  const lastClosedAt = fault.to + backUs + closedUs;
  const lastEndAt = lastClosedAt + settings.leaseMs[1] * ms;
  const backAt = ({ slot, pauses }: WorkerStory) => {
    const struck = faults.filter(
      (other) => other !== fault && (other.slot ?? slot) === slot && !harmlessKinds.has(other.kind),
    );
    return inPeaceAt([...struck, ...pauses], fault.servedAt, (settings.presenceMs / 3) * ms);
  };
  return {
    why: `somebody could not check in while it was closed (${fault.kind} ${fault.id})`,
    from: fault.from,
    to: Number.POSITIVE_INFINITY,
    covers: ({ others, excess, at }) => {
      const away = before(others, lastClosedAt).filter(({ worker, grantedAt }) => {
        const itsBackAt = backAt(worker);
        const until = grantedAt === undefined ? itsBackAt : lastEndAt;
        return itsBackAt > fault.servedAt + closedUs && at <= until + slackMs * ms;
      });
      return suffices(away, excess);
    },
  };
}

/** A server clock that is set forward ends leases early: those of then. */
function leap(fault: FaultStory, { settings }: Timeline): DocumentedWindow {
  return {
    why: `the server's clock was set forward (${fault.id})`,
    from: fault.from,
    to: fault.to + (settings.leaseMs[1] + slackMs) * ms,
    covers: ({ others, excess }) => suffices(before(others, fault.to + hearMs * ms), excess),
  };
}

/** Whoever has not been in peace since takes old messages for new: the difference between the clocks is another. */
function unheard(fault: FaultStory): DocumentedWindow {
  return {
    why: `a holder that had not heard of the server since its clock was set forward (${fault.id})`,
    from: fault.from,
    to: Number.POSITIVE_INFINITY,
    covers: ({ others, excess, at }) => {
      const deaf = others.filter(({ worker }) =>
        worker.pauses.some(({ from, to }) => from <= fault.to && to >= fault.to && at <= to + hearMs * ms),
      );
      return suffices(deaf, excess);
    },
  };
}
