import { onFact, type PermitFact, type RequestFact } from '../facts.ts';

/** What this process uses of the semaphores that share a name in the metrics. */
export interface Usage {
  /** Units held. */
  held: number;
  /** Requests in line. */
  waiting: number;
  /** The limit in force when it was last heard. */
  limit: number;
}

/**
 * Counts what is held and waited for, from the facts. What began before counting did is left out, at its end too, so no
 * number ever falls below what is there.
 */
export function countUsage(nameOf: (semaphore: string) => string): {
  readonly byName: ReadonlyMap<string, Readonly<Usage>>;
  stop(): void;
} {
  const byName = new Map<string, Usage>();
  const waiting = new WeakSet<RequestFact>();
  const held = new WeakSet<PermitFact>();
  const of = (semaphore: string): Usage => {
    const name = nameOf(semaphore);
    let usage = byName.get(name);
    if (usage === undefined) {
      usage = { held: 0, waiting: 0, limit: 0 };
      byName.set(name, usage);
    }
    return usage;
  };
  const leaveLine = (request: RequestFact) => {
    if (waiting.delete(request)) {
      of(request.semaphore).waiting--;
    }
  };
  const giveUp = ({ permit }: { readonly permit: PermitFact }) => {
    if (held.delete(permit)) {
      of(permit.semaphore).held -= permit.weight;
    }
  };
  const stops = [
    onFact('parkade:acquire:queued', ({ request, limit }) => {
      const usage = of(request.semaphore);
      usage.limit = limit;
      usage.waiting++;
      waiting.add(request);
    }),
    onFact('parkade:acquire:granted', ({ request, permit, limit }) => {
      leaveLine(request);
      const usage = of(permit.semaphore);
      usage.limit = limit;
      usage.held += permit.weight;
      held.add(permit);
    }),
    onFact('parkade:acquire:failed', ({ request }) => leaveLine(request)),
    onFact('parkade:permit:released', giveUp),
    onFact('parkade:permit:lost', giveUp),
    onFact('parkade:permit:left', giveUp),
  ];
  return { byName, stop: () => stops.forEach((stop) => void stop()) };
}
