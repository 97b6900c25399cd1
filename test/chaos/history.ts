/**
 * What a chaos run writes down: a history of what everybody asked, got and gave back, and of the faults. The checker
 * (checker.ts) reads nothing else.
 *
 * Every time (`at`, `asked`, `from`, …) is in µs of CLOCK_MONOTONIC, which all processes of a Linux machine share. Where
 * the moment is an interval, it is written down on the safe side: what begins a reliance after the call that gave it has
 * returned, what ends it before the call that gives it up is made.
 */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultKind } from './fault-kinds.ts';
import type { TargetKind } from './target.ts';

/** Of a worker process, in its own file. Each life of a worker is a worker of its own: `w3.1` was killed, `w3.2` is next. */
export type WorkerEvent =
  | { kind: 'started'; at: number; worker: string; slot: number; pid: number; client: string }
  /** `leaseMs` is a number of this request's own in its worker, so that its record in a snapshot names it. */
  | {
      kind: 'ask';
      at: number;
      request: number;
      weight: number;
      leaseMs: number;
      timeoutMs?: number;
      how: How;
    }
  /** `held`: what `isHeld` said, asked after `at`. */
  | {
      kind: 'granted';
      at: number;
      request: number;
      permit: string;
      token: number;
      weight: number;
      held: boolean;
    }
  /** The request ended without a permit; `code` is the error's. */
  | { kind: 'refused'; at: number; request: number; outcome: Refusal; code?: string }
  /** The holder asked `isHeld`, was told yes, and goes on relying on it. */
  | { kind: 'trusts'; at: number; permit: string }
  /** The signal aborted. `tickedAt`: when the event loop was last known to turn before. */
  | { kind: 'lost'; at: number; permit: string; tickedAt: number }
  | { kind: 'releasing'; at: number; permit: string; held: boolean; tickedAt: number }
  | { kind: 'released'; at: number; permit: string; which: ReleaseKind; result: boolean | string }
  /** The worker's client put back what it held. */
  | { kind: 'restored'; at: number; permits: number; waiters: number }
  /** The event loop did not turn from `from` to `at`. */
  | { kind: 'lagged'; from: number; at: number }
  | { kind: 'alive'; at: number }
  /** An unhandled rejection or an uncaught exception. */
  | { kind: 'stray'; at: number; error: string };

export type How = 'acquire' | 'try' | 'run';
export type Refusal = 'timed out' | 'aborted' | 'not at once' | 'error';
/** `again`: the same permit a second time; `foreign`: one that somebody else holds. */
export type ReleaseKind = 'first' | 'again' | 'foreign';

/** Of the supervisor. */
export type SupervisorEvent =
  | { kind: 'settings'; at: number; settings: ChaosSettings }
  | {
      kind: 'fault begins';
      at: number;
      id: number;
      fault: FaultKind;
      slot?: number;
      forMs: number;
      value?: number;
    }
  /** `servedAt`: when another server had taken over, if one did. */
  | { kind: 'fault ends'; at: number; id: number; note?: string; servedAt?: number }
  /** Written before the signal is sent. */
  | { kind: 'killed'; at: number; worker: string }
  | { kind: 'exited'; at: number; worker: string; code: number | null; signal: string | null }
  /** `asked` before a resize, and `at` when it was confirmed. */
  | { kind: 'resized'; asked: number; at: number; limit: number }
  | ({ kind: 'snapshot' } & Snapshot)
  | { kind: 'phase'; at: number; phase: Phase }
  /** Keys of the run that would stay for ever. */
  | { kind: 'keys without ttl'; at: number; keys: string[] }
  | { kind: 'final'; at: number; held: number; waiting: number; limit: number; probeMs: number | null }
  | StoreEvent;

/** `calm`: no more faults; `drain`: no more requests; `done`: everything that was asked for is settled. */
export type Phase = 'faults' | 'calm' | 'drain' | 'done';

/** Of the guarded resource, which sees only who enters and leaves, with which token. */
export type StoreEvent =
  /** `evicted` are those with the lowest tokens, when not all fit. */
  | { kind: 'store entered'; at: number; permit: string; weight: number; inside: number; evicted: string[] }
  | { kind: 'store left'; at: number; permit: string }
  /** Its token is stale: too many with higher ones are inside, or it was evicted. */
  | { kind: 'store refused'; at: number; permit: string; doing: 'enter' | 'write' };

/** The semaphore as Redis has it at a moment between `asked` and `at`. */
export interface Snapshot {
  readonly asked: number;
  readonly at: number;
  readonly limit: number;
  readonly held: number;
  readonly waiting: number;
  readonly holders: readonly (readonly [id: string, weight: number])[];
  /** In line. */
  readonly waiters: readonly string[];
}

export interface ChaosSettings {
  readonly seed: number;
  readonly workers: number;
  readonly lanes: number;
  readonly limit: number;
  readonly presenceMs: number;
  readonly attemptTimeoutMs: number;
  readonly unavailableAfterMs: number;
  /** The shortest and the longest lease that is asked for. */
  readonly leaseMs: readonly [number, number];
  /** The longest hold, and the longest once no fault is made any more. */
  readonly holdMs: number;
  readonly calmHoldMs: number;
  readonly on: TargetKind;
  readonly server: string;
}

export interface History {
  readonly supervisor: readonly SupervisorEvent[];
  readonly workers: ReadonlyMap<string, readonly WorkerEvent[]>;
}

/** Now, in µs. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Appends events to a file, each in the file when `write` returns, so that a SIGKILL loses none. */
export class HistoryLog<Event extends WorkerEvent | SupervisorEvent> {
  readonly #file: number;

  constructor(folder: string, name: string) {
    this.#file = openSync(join(folder, `${name}.jsonl`), 'a');
  }

  write(event: Event): void {
    writeSync(this.#file, `${JSON.stringify(event)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Reads what a run wrote to its folder. */
export function readHistory(folder: string): History {
  const workers = new Map<string, WorkerEvent[]>();
  let supervisor: SupervisorEvent[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.jsonl'))) {
    const name = file.slice(0, -'.jsonl'.length);
    if (name === 'supervisor') {
      supervisor = readLines(join(folder, file));
    } else {
      workers.set(name, readLines(join(folder, file)));
    }
  }
  return { supervisor, workers };
}

/** A last line without its end is what a killed process did not get to write. */
function readLines<Event>(file: string): Event[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Event);
}
