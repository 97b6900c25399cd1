/**
 * What the demo is about, what happens in it, and the turns that this makes. Every time is `Date.now()`: all processes
 * are on one machine, so they have one clock.
 */

/** The figures that the demo is played with. */
export interface Plan {
  readonly workers: number;
  /** How many requests a worker has in hand at once; it asks for a permit for each. */
  readonly perWorker: number;
  readonly requests: number;
  /** The semaphore's limit. */
  readonly limit: number;
  /** How long the API takes for a request. */
  readonly serviceMs: number;
  readonly leaseMs: number;
  readonly presenceMs: number;
  readonly retentionMs: number;
}

/** What a worker tells of a request: it asked for a permit, was granted one, has the API's answer, or failed. */
export type WorkerEvent = { readonly worker: number; readonly request: number; readonly atMs: number } & (
  | { readonly kind: 'asked' }
  | { readonly kind: 'granted'; readonly permitId: string; readonly fencingToken: number }
  | { readonly kind: 'answered' }
  | { readonly kind: 'failed'; readonly reason: string }
);

/** The SIGKILL was sent. */
export interface KilledEvent {
  readonly kind: 'killed';
  readonly worker: number;
  readonly atMs: number;
}

/** One `client.inspect()` of the semaphore. */
export interface SeenEvent {
  readonly kind: 'seen';
  readonly sentAtMs: number;
  /** When the reply was there. */
  readonly atMs: number;
  readonly holders: readonly Seen[];
  /** Head of the line first. */
  readonly waiters: readonly Seen[];
}

/** A holder or a waiter: the id of its permit, present or future, and its worker. */
export interface Seen {
  readonly id: string;
  readonly worker: number;
}

export type DemoEvent = WorkerEvent | KilledEvent | SeenEvent;

/** One request in the hands of one worker, from asking to its end. */
export interface Turn {
  readonly worker: number;
  readonly request: number;
  /** Which of its worker's hands it is in: 0, 1, … */
  readonly hand: number;
  readonly askedAtMs: number;
  grantedAtMs?: number;
  permitId?: string;
  fencingToken?: number;
  endedAtMs?: number;
  end?: 'answered' | 'failed' | 'killed';
  /** While the worker is dead, and Redis counts the request as a holder all the same. */
  leftover?: { readonly fromMs: number; untilMs: number };
}

/** The turns that events make, in the order of asking as the main process heard of it. */
export function turnsOf(events: readonly DemoEvent[]): Turn[] {
  const turns: Turn[] = [];
  const openOf = (worker: number) =>
    turns.filter((turn) => turn.worker === worker && turn.endedAtMs === undefined);
  for (const event of events) {
    if (event.kind === 'seen') {
      for (const holder of event.holders) {
        noteLeftover(turns, holder, event.atMs);
      }
    } else if (event.kind === 'killed') {
      for (const turn of openOf(event.worker)) {
        Object.assign(turn, { endedAtMs: event.atMs, end: 'killed' });
      }
    } else if (event.kind === 'asked') {
      const taken = openOf(event.worker).map((turn) => turn.hand);
      const hand = [...taken.keys(), taken.length].find((free) => !taken.includes(free)) ?? 0;
      turns.push({ worker: event.worker, request: event.request, hand, askedAtMs: event.atMs });
    } else {
      const turn = openOf(event.worker).find(({ request }) => request === event.request);
      if (turn === undefined) {
        continue; // said by a worker that was dead when it was heard
      }
      if (event.kind === 'granted') {
        const { permitId, fencingToken } = event;
        Object.assign(turn, { grantedAtMs: event.atMs, permitId, fencingToken });
      } else {
        Object.assign(turn, { endedAtMs: event.atMs, end: event.kind });
      }
    }
  }
  return turns;
}

/** A holder that is dead: either it held when it was killed, or it was granted a permit in line, not known to be dead. */
function noteLeftover(turns: Turn[], { id, worker }: Seen, atMs: number): void {
  const killed = turns.filter((turn) => turn.worker === worker && turn.end === 'killed');
  const turn = killed.find(({ permitId }) => permitId === id) ?? killed.find((other) => !other.permitId);
  if (turn?.leftover) {
    turn.leftover.untilMs = atMs;
  } else if (turn) {
    turn.leftover = { fromMs: turn.permitId ? (turn.endedAtMs ?? atMs) : atMs, untilMs: atMs };
  }
}
