/** What a run comes to: events in, figures out. */
import type { ApiCounts } from './api-server.ts';
import { type DemoEvent, type KilledEvent, type Plan, type SeenEvent, type Turn, turnsOf } from './events.ts';

export interface Figures {
  readonly plan: Plan;
  readonly api: ApiCounts;
  /** How many of the requests were answered. */
  readonly answered: number;
  /** Requests that the killed worker had put to the API, or was about to: they were asked again. */
  readonly cutOff: number;
  /** Why requests failed; they too were asked again. */
  readonly failures: readonly string[];
  readonly order: Order;
  /** From the first asking to the last answer. */
  readonly tookMs: number;
  readonly idealMs: number;
  readonly comeback: Comeback | undefined;
  readonly keys: Keys;
}

/** The run's keys that are in Redis when all is done. */
export interface Keys {
  readonly prefix: string;
  readonly left: readonly LeftKey[];
}

export interface LeftKey {
  readonly key: string;
  /** -1 if it would stay for ever. */
  readonly ttlMs: number;
}

/** Whether grants followed the order of asking. */
export interface Order {
  /** Snapshots of the line and of the holders. */
  readonly snapshots: number;
  /** Grants that workers reported. */
  readonly grants: number;
  /** Those among them whose request was seen in line before. */
  readonly seenInLine: number;
  /** One sentence for each pair that was out of order. */
  readonly violations: readonly string[];
  /** Whether the fencing tokens of those seen in line rise in the order of the line. */
  readonly tokensRise: boolean;
}

/** What became of the permit of the killed worker, as snapshots showed it. Counted from the SIGKILL. */
export interface Comeback {
  readonly worker: number;
  /** Its lease was over: Redis counted the dead worker as a holder no more. */
  readonly leaseOverAfterMs: number | undefined;
  /** All permits were held by living workers again. */
  readonly inUseAfterMs: number | undefined;
}

export function figuresOf(plan: Plan, api: ApiCounts, events: readonly DemoEvent[], keys: Keys): Figures {
  const turns = turnsOf(events);
  const answers = turns.filter((turn) => turn.end === 'answered');
  const lastMs = Math.max(...answers.map((turn) => turn.endedAtMs ?? 0));
  return {
    plan,
    api,
    answered: new Set(answers.map((turn) => turn.request)).size,
    cutOff: turns.filter((turn) => turn.grantedAtMs !== undefined && turn.end === 'killed').length,
    failures: events.flatMap((event) => (event.kind === 'failed' ? [event.reason] : [])),
    order: orderOf(turns, events),
    tookMs: answers.length === 0 ? 0 : lastMs - Math.min(...turns.map((turn) => turn.askedAtMs)),
    idealMs: (plan.requests * plan.serviceMs) / plan.limit,
    comeback: comebackOf(plan, turns, events),
    keys,
  };
}

/**
 * The order of asking is the order in which requests were first seen in line: each snapshot is one consistent look at
 * Redis, head of the line first. So, in every snapshot,
 *
 * - nobody may stand in line ahead of one that was seen there earlier, and
 * - while one waits, nobody may hold or have held a permit who was seen in line later, or asked after that sight.
 *
 * Fencing tokens alone would not do: one that a check-in brings, and no message, was drawn at the check-in.
 */
function orderOf(turns: readonly Turn[], events: readonly DemoEvent[]): Order {
  const snapshots = events.filter((event) => event.kind === 'seen');
  const granted = turns.filter((turn) => turn.permitId !== undefined);
  const turnOf = new Map(granted.map((turn) => [turn.permitId ?? '', turn]));
  const line = new Map<string, { place: number; atMs: number }>();
  const violations = new Set<string>();
  const nameOf = (id: string) => `#${turnOf.get(id)?.request ?? ` of permit ${id}`}`;

  for (const { sentAtMs, atMs, holders, waiters } of snapshots) {
    for (const { id } of waiters) {
      if (!line.has(id)) {
        line.set(id, { place: line.size, atMs });
      }
    }
    const had = granted.filter(({ grantedAtMs = sentAtMs }) => grantedAtMs < sentAtMs);
    const served = new Set([...holders.map(({ id }) => id), ...had.map(({ permitId = '' }) => permitId)]);
    waiters.forEach(({ id }, i) => {
      const own = line.get(id) ?? { place: 0, atMs };
      const isBehind = (other: string) =>
        (line.get(other)?.place ?? -1) > own.place || (turnOf.get(other)?.askedAtMs ?? 0) > own.atMs;
      for (const other of waiters.slice(0, i)) {
        if (isBehind(other.id)) {
          violations.add(`${nameOf(other.id)} got into line ahead of ${nameOf(id)}`);
        }
      }
      for (const other of served) {
        if (isBehind(other)) {
          violations.add(`${nameOf(other)} was served while ${nameOf(id)}, ahead of it, waited`);
        }
      }
    });
  }

  const seen = granted
    .map(({ permitId = '', fencingToken = 0 }) => ({ fencingToken, place: line.get(permitId)?.place }))
    .filter(({ place }) => place !== undefined)
    .sort((a, b) => a.fencingToken - b.fencingToken);
  return {
    snapshots: snapshots.length,
    grants: granted.length,
    seenInLine: seen.length,
    violations: [...violations],
    tokensRise: seen.every(({ place = 0 }, i) => place >= (seen[i - 1]?.place ?? 0)),
  };
}

function comebackOf(plan: Plan, turns: readonly Turn[], events: readonly DemoEvent[]): Comeback | undefined {
  const killed = events.find((event): event is KilledEvent => event.kind === 'killed');
  if (!killed) {
    return undefined;
  }
  const { worker, atMs } = killed;
  const after = events.filter((event): event is SeenEvent => event.kind === 'seen' && event.sentAtMs > atMs);
  const permits = turns
    .filter((turn) => turn.worker === worker && turn.end === 'killed')
    .map(({ permitId }) => permitId);
  const counts = ({ holders }: SeenEvent) => holders.some(({ id }) => permits.includes(id));
  const living = ({ holders }: SeenEvent) => holders.filter((holder) => holder.worker !== worker).length;
  // Only if Redis counted it as a holder after it was dead, it was one.
  const leaseOver = after[0] && counts(after[0]) ? after.find((seen) => !counts(seen)) : undefined;
  const inUse = leaseOver && after.find((seen) => seen.atMs >= leaseOver.atMs && living(seen) >= plan.limit);
  return {
    worker,
    leaseOverAfterMs: leaseOver && leaseOver.atMs - atMs,
    inUseAfterMs: inUse && inUse.atMs - atMs,
  };
}
