import { Attempts } from '../../src/attempts.ts';
import type { Clock } from '../../src/clock.ts';
import { Engine } from '../../src/engine.ts';
import { ParkadeError, QueueFullError, RedisUnavailableError } from '../../src/errors.ts';
import type { Lease } from '../../src/lease.ts';
import type { RedisConnection, SubscriberEvents } from '../../src/redis/connection.ts';
import * as embedded from '../../src/redis/lua.generated.ts';
import { SemaphoreStore } from '../../src/redis/store.ts';
import { WakeUps } from '../../src/redis/wakeups.ts';
import {
  attemptTimeoutMs,
  clientNames,
  leaseMs,
  type Op,
  opsOf,
  type Program,
  presenceMs,
  retentionMs,
  semaphoreName,
  unavailableAfterMs,
} from './program.ts';

/** Something that happens to a client. It is the only thing that makes it do anything. */
export type ClientEvent =
  | { readonly kind: 'op'; readonly index: number }
  | { readonly kind: 'timer' }
  | { readonly kind: 'reply'; readonly call: number; readonly value: unknown }
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'listening' }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'connected' };

/** A script that a client has sent. */
export interface Call {
  readonly no: number;
  readonly script: string;
  readonly args: readonly (string | number)[];
}

/** A permit on which a client relies, until its deadline. */
export interface Hold {
  readonly request: string;
  readonly record: string;
  readonly weight: number;
  readonly token: number;
  readonly deadlineMs: number;
}

/** What can be seen of a client from outside, after an event. */
export interface ClientView {
  /** What it has sent because of the event. */
  readonly sent: readonly Call[];
  /** Of all that it has sent, what is not answered. */
  readonly unanswered: readonly Call[];
  readonly nextTimerMs: number;
  readonly holds: readonly Hold[];
  /** What became of each request: `pending`, `granted`, or why it failed. */
  readonly requests: Readonly<Record<string, string>>;
  /** The number of the first record of each request; those of the next one are higher. */
  readonly firstRecords: Readonly<Record<string, number>>;
  /** Calls of its user that have not returned. */
  readonly busy: number;
  readonly waiting: number;
  /** How many subscribers it has opened. */
  readonly subscribers: number;
  readonly told: readonly string[];
  /** What must never happen, and has. */
  readonly troubles: readonly string[];
}

interface Timer {
  readonly dueMs: number;
  readonly task: () => void;
}

const nameOf = new Map(Object.values(embedded).map(({ sha, name }) => [sha, name]));

/**
 * The client's own engine, calls and wake-ups, made as `SemaphoreClient` makes them, with time, timers, chance and
 * network in the hand of the test. It does nothing but in answer to an event, and the same events make it do the same.
 */
export class SimulatedClient {
  readonly #program: Program;
  readonly #no: number;
  readonly #attempts: Attempts;
  readonly #wakeUps: WakeUps;
  readonly #engine: Engine;
  readonly #timers = new Set<Timer>();
  #turnEnds: (() => void)[] = [];
  readonly #calls = new Map<number, { readonly call: Call; readonly answer: (value: unknown) => void }>();
  readonly #requests = new Map<string, string>();
  readonly #firstRecords = new Map<string, number>();
  readonly #leases = new Map<string, Lease>();
  readonly #aborts = new Map<string, AbortController>();
  #nowMs = 0;
  #isReady = true;
  #lastCall = 0;
  #lastRequestNo = 0;
  #sent: Call[] = [];
  #told: string[] = [];
  #troubles: string[] = [];
  #busy = 0;
  #subscribers = 0;
  #hears: SubscriberEvents | undefined;

  constructor(program: Program, no: number, prefix: string) {
    this.#program = program;
    this.#no = no;
    const id = clientNames[no] as string;
    const connection = this.#connection();
    const clock = this.#clock();
    this.#attempts = new Attempts(connection, clock, attemptTimeoutMs, unavailableAfterMs);
    this.#wakeUps = new WakeUps(connection, prefix, id, clock, presenceMs / 3, {
      wakeUp: (message) => this.#engine.wakeUp(message),
      listening: () => this.#engine.listening(),
      error: (error) => this.#hearError(error),
    });
    const store = new SemaphoreStore(connection, semaphoreName, {
      prefix,
      clientId: id,
      presenceMs,
      retentionMs,
    });
    this.#engine = new Engine(
      store,
      this.#attempts,
      clock,
      () => ++this.#lastRequestNo,
      { name: semaphoreName, clientId: id, limit: program.limit, presenceMs, retentionMs },
      {
        waiting: () => this.#wakeUps.listen(semaphoreName),
        missed: (record) => this.#wakeUps.miss(record),
        lost: (error) => void this.#told.push(`is told that ${error.permitId} is lost`),
        restored: (permits, waiters) =>
          void this.#told.push(`has put back ${permits} permits and ${waiters} waiters`),
        error: (error) => this.#hearError(error),
      },
    );
  }

  /** Makes one event happen, and everything that follows from it at once. */
  async happen(event: ClientEvent, atMs: number): Promise<ClientView> {
    this.#nowMs = atMs;
    this.#sent = [];
    this.#told = [];
    this.#troubles = [];
    this.#handle(event);
    await quiet();
    while (this.#turnEnds.length > 0) {
      const turnEnds = this.#turnEnds;
      this.#turnEnds = [];
      for (const task of turnEnds) {
        task();
      }
      await quiet();
    }
    return this.#view();
  }

  #handle(event: ClientEvent): void {
    switch (event.kind) {
      case 'op':
        for (const op of opsOf(this.#program.clients[this.#no]?.[event.index] as Op)) {
          this.#do(op);
        }
        return;
      case 'timer': {
        const timer = this.#nextTimer() as Timer;
        this.#timers.delete(timer);
        timer.task();
        return;
      }
      case 'reply': {
        const asked = this.#calls.get(event.call);
        this.#calls.delete(event.call);
        asked?.answer(event.value);
        return;
      }
      case 'message':
        this.#hears?.message(event.text);
        return;
      case 'listening':
        this.#hears?.listening();
        return;
      case 'disconnected':
        this.#isReady = false;
        return;
      case 'connected': // as `SemaphoreClient` does when its connection is ready
        this.#isReady = true;
        this.#attempts.connected();
        this.#engine.connected();
    }
  }

  #do(op: Op): void {
    switch (op.do) {
      case 'acquire':
      case 'try':
        this.#ask(op);
        return;
      case 'abort':
        this.#aborts.get(op.of)?.abort(new Error('aborted'));
        return;
      case 'release': {
        const lease = this.#leases.get(op.of);
        if (lease === undefined) return; // the request has failed
        const wasHeld = lease.isHeld();
        this.#follow(this.#engine.release(lease), (released) => {
          this.#told.push(`hears that ${op.of} was ${released ? '' : 'not '}released`);
          if (wasHeld && !released && this.#nowMs < lease.deadlineMs) {
            this.#troubles.push(`${op.of} was held when it was released, and the release says it was not`);
          }
        });
        return;
      }
      case 'renew': {
        const lease = this.#leases.get(op.of);
        if (lease !== undefined) this.#follow(this.#engine.renew(lease, op.leaseMs));
        return;
      }
      case 'resize':
        this.#follow(this.#engine.resize(op.limit));
        return;
      case 'gain':
        this.#follow(this.#engine.gain());
        return;
      case 'crash':
        throw new Error('A crash is no event of a client.');
    }
  }

  #ask(op: Op & { do: 'acquire' | 'try' }): void {
    const abort = new AbortController();
    this.#aborts.set(op.as, abort);
    this.#requests.set(op.as, 'pending');
    this.#firstRecords.set(op.as, this.#lastRequestNo + 1);
    const settle = (how: string) => {
      if (this.#requests.get(op.as) !== 'pending') {
        this.#troubles.push(`${op.as} is settled twice, the second time as ${how}`);
      }
      this.#requests.set(op.as, how);
      this.#told.push(how === 'granted' ? `is granted ${op.as}` : `hears that ${op.as} has failed: ${how}`);
    };
    this.#engine.ask({
      declaration: { limit: this.#program.limit, onLimitMismatch: 'adopt' },
      weight: op.weight ?? 1,
      upkeep: {
        leaseMs: op.do === 'acquire' ? (op.leaseMs ?? leaseMs) : leaseMs,
        renew: op.do === 'acquire' ? (op.renew ?? true) : true,
        maxHoldMs: Number.POSITIVE_INFINITY,
      },
      maxWaiting: op.do === 'try' ? 0 : -1,
      timeoutMs: op.do === 'acquire' ? op.timeoutMs : 0,
      signal: abort.signal,
      replication: undefined,
      granted: (lease) => {
        this.#leases.set(op.as, lease);
        settle('granted');
        if (this.#nowMs >= lease.deadlineMs) {
          this.#troubles.push(`${op.as} is granted after its deadline`);
        }
      },
      failed: (reason) => settle(this.#codeOf(reason)),
    });
  }

  #codeOf(reason: unknown): string {
    if (reason instanceof QueueFullError) {
      return 'NOT_AT_ONCE';
    }
    return reason instanceof ParkadeError ? reason.code : (reason as Error).message;
  }

  #follow<T>(call: Promise<T>, heard?: (value: T) => void): void {
    this.#busy++;
    call.then(
      (value) => {
        this.#busy--;
        heard?.(value);
      },
      (reason: unknown) => {
        this.#busy--;
        this.#told.push(`hears that a call has failed: ${this.#codeOf(reason)}`);
      },
    );
  }

  #hearError(error: Error): void {
    if (error instanceof RedisUnavailableError) {
      this.#told.push('could not reach Redis for something in the background');
    } else {
      this.#troubles.push(`it reports ${error.name}: ${error.message}`);
    }
  }

  #view(): ClientView {
    return {
      sent: this.#sent,
      unanswered: [...this.#calls.values()].map(({ call }) => call),
      nextTimerMs: this.#nextTimer()?.dueMs ?? Number.POSITIVE_INFINITY,
      holds: [...this.#leases].flatMap(([request, { state, record, weight, token, deadlineMs }]) =>
        state === 'held' ? [{ request, record, weight, token, deadlineMs }] : [],
      ),
      requests: Object.fromEntries(this.#requests),
      firstRecords: Object.fromEntries(this.#firstRecords),
      busy: this.#busy,
      waiting: this.#engine.waiting,
      subscribers: this.#subscribers,
      told: this.#told,
      troubles: this.#troubles,
    };
  }

  #nextTimer(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (next === undefined || timer.dueMs < next.dueMs) {
        next = timer; // of those due together, the one set first
      }
    }
    return next;
  }

  #clock(): Clock {
    const after = (ms: number, task: () => void) => {
      const timer = { dueMs: this.#nowMs + Math.max(0, Math.ceil(ms)), task };
      this.#timers.add(timer);
      return { cancel: () => void this.#timers.delete(timer) };
    };
    return {
      monotonicMs: () => this.#nowMs,
      after,
      afterReading: after,
      endOfTurn: (task) => void this.#turnEnds.push(task),
      random: () => 0, // what many do at the same moment, in every order, is what is to be seen
    };
  }

  #connection(): RedisConnection {
    return {
      address: 'the test',
      isCluster: false,
      keyspaces: () => [],
      isReady: () => this.#isReady,
      isReply: () => false,
      lastError: () => undefined,
      suspect() {},
      evalsha: (sha, _keys, args) => {
        const call = { no: ++this.#lastCall, script: nameOf.get(sha) as string, args };
        this.#sent.push(call);
        return new Promise((answer) => this.#calls.set(call.no, { call, answer }));
      },
      eval: () => Promise.resolve().then(unasked), // scripts are known
      replicated: () => unasked(),
      serverInfo: () => Promise.resolve().then(unasked),
      openSubscriber: (_channel, events) => {
        this.#subscribers++;
        this.#hears = events;
        return { hearShard() {}, leaveShard() {}, close() {} };
      },
      close: () => Promise.resolve(),
    };
  }
}

function unasked(): never {
  throw new Error('Nobody asks for that here.');
}

/** All promise jobs that were due are done. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
