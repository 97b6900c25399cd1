import type { ChaosSettings, History, SupervisorEvent, WorkerEvent } from './history.ts';
import { defaults } from './settings.ts';

/** Leaves the times out: a hand-made history gives them in ms, before the event. */
type Untimed<E> = E extends { at: number } ? Omit<E, 'at'> & { at?: number } : never;

const settings: ChaosSettings = {
  ...defaults,
  limit: 2,
  seed: 1,
  workers: 2,
  on: 'standalone',
  server: 'none',
};

/** A history made by hand, to show that a check can fail. Times are in ms. */
export class Story implements History {
  readonly supervisor: SupervisorEvent[] = [{ kind: 'settings', at: 0, settings }];
  readonly workers = new Map<string, WorkerEvent[]>();

  /** What a worker writes down; the first word of a worker is that it has started. */
  tell(ms: number, worker: string, event: Untimed<WorkerEvent>): this {
    const events = this.workers.get(worker) ?? [];
    if (events.length === 0) {
      const slot = Number(worker.slice(1).split('.')[0]);
      events.push({ kind: 'started', at: 0, worker, slot, pid: 1, client: `${worker}:x` });
    }
    events.push(micro(ms, event) as WorkerEvent);
    this.workers.set(worker, events);
    return this;
  }

  note(ms: number, event: Untimed<SupervisorEvent>): this {
    this.supervisor.push(micro(ms, event) as SupervisorEvent);
    return this;
  }

  /** Asked for at one time and granted at another. The request's number, its lease and its permit are told by `no`. */
  grant(
    from: number,
    at: number,
    worker: string,
    no: number,
    { token = 1_000 + at, weight = 1, held = true } = {},
  ): this {
    this.ask(from, worker, no, weight);
    return this.tell(at, worker, {
      kind: 'granted',
      request: no,
      permit: permitId(worker, no, weight),
      token,
      weight,
      held,
    });
  }

  ask(ms: number, worker: string, no: number, weight = 1): this {
    return this.tell(ms, worker, { kind: 'ask', request: no, weight, leaseMs: 700 + no, how: 'acquire' });
  }

  /** Given up at one time, and confirmed a ms later. */
  release(
    ms: number,
    worker: string,
    no: number,
    { result = true as boolean | string, held = true } = {},
  ): this {
    const permit = permitId(worker, no);
    this.tell(ms, worker, { kind: 'releasing', permit, held, tickedAt: (ms - 5) * 1_000 });
    return this.tell(ms + 1, worker, { kind: 'released', permit, which: 'first', result });
  }

  lose(ms: number, worker: string, no: number, tickedAtMs = ms - 5): this {
    return this.tell(ms, worker, {
      kind: 'lost',
      permit: permitId(worker, no),
      tickedAt: tickedAtMs * 1_000,
    });
  }

  snapshot(
    ms: number,
    holders: readonly string[],
    waiters: readonly string[],
    { limit = 2, held = holders.length } = {},
  ): this {
    return this.note(ms, {
      kind: 'snapshot',
      asked: ms * 1_000 - 500,
      limit,
      held,
      waiting: waiters.length,
      holders: holders.map((id) => [id, 1] as const),
      waiters,
    });
  }

  fault(
    from: number,
    to: number,
    fault: Extract<SupervisorEvent, { kind: 'fault begins' }>['fault'],
    slot?: number,
  ): this {
    const id = this.supervisor.length;
    this.note(from, {
      kind: 'fault begins',
      id,
      fault,
      forMs: to - from,
      ...(slot !== undefined && { slot }),
    });
    return this.note(to, { kind: 'fault ends', id });
  }

  /** The end of a run in which all went well, unless told otherwise. */
  end(ms: number, { held = 0, waiting = 0, limit = 2, probeMs = 5 as number | null } = {}): this {
    for (const phase of ['calm', 'drain', 'done'] as const) this.note(ms, { kind: 'phase', phase });
    return this.note(ms + 1, { kind: 'final', held, waiting, limit, probeMs });
  }
}

export function permitId(worker: string, no: number, weight = 1): string {
  return `${worker}:x/${no}/${weight}/${700 + no}`;
}

function micro(ms: number, event: object): object {
  return { ...event, at: ms * 1_000 };
}
