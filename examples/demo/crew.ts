import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Plan, WorkerEvent } from './events.ts';

/** What a worker process is told when it starts. */
export interface WorkerSettings {
  readonly worker: number;
  readonly redisUrl: string;
  readonly apiUrl: string;
  readonly prefix: string;
  readonly name: string;
  readonly plan: Plan;
}

interface Member {
  readonly worker: number;
  readonly process: ChildProcess;
  readonly ready: Promise<unknown>;
  /** Resolves to what it said on stderr when it has ended. */
  readonly ended: Promise<string>;
  /** The requests that it was handed and has not answered. */
  readonly inHand: Set<number>;
  alive: boolean;
}

/**
 * The worker processes and the list of work that they share. Each is handed a few requests at a time; what one leaves
 * unanswered, because it was killed or failed, goes back to the head of the list and is asked again by another.
 */
export class Crew implements AsyncDisposable {
  readonly #plan: Plan;
  readonly #members: readonly Member[];
  readonly #todo: number[];
  readonly #hear: (event: WorkerEvent) => void;
  #unanswered: number;
  #allAnswered = () => {};

  /** Starts the processes. */
  constructor(settings: Omit<WorkerSettings, 'worker'>, hear: (event: WorkerEvent) => void) {
    this.#plan = settings.plan;
    this.#hear = hear;
    this.#todo = upTo(settings.plan.requests);
    this.#unanswered = settings.plan.requests;
    this.#members = upTo(settings.plan.workers).map((worker) => start({ ...settings, worker }));
    for (const member of this.#members) {
      member.process.on('message', (said: WorkerEvent | { kind: 'ready' }) => {
        if (said.kind !== 'ready') {
          this.#heard(member, said);
        }
      });
    }
  }

  get pids(): readonly (number | undefined)[] {
    return this.#members.map(({ process }) => process.pid);
  }

  /**
   * Resolves when every request was answered.
   *
   * @throws if a worker ends that was not killed by `kill`
   */
  async serveAll(): Promise<void> {
    const accident = Promise.race(this.#members.map((member) => this.#accident(member)));
    await Promise.race([Promise.all(this.#members.map(({ ready }) => ready)), accident]);
    const answered = new Promise<void>((resolve) => {
      this.#allAnswered = resolve;
    });
    this.#handOut();
    await Promise.race([answered, accident]);
  }

  /** Ends a worker's process at once, by SIGKILL. */
  kill(worker: number): void {
    const member = this.#members.find((other) => other.worker === worker);
    if (member) {
      member.alive = false;
      member.process.kill('SIGKILL');
      member.ended.then(() => {
        this.#todo.unshift(...member.inHand);
        this.#handOut();
      });
    }
  }

  /** Resolves when no process is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.#members) {
      member.alive = false;
      if (member.process.connected) {
        member.process.disconnect();
      }
      setTimeout(() => member.process.kill('SIGKILL'), 3_000).unref();
    }
    await Promise.all(this.#members.map(({ ended }) => ended));
  }

  #heard(member: Member, event: WorkerEvent): void {
    this.#hear(event);
    if (event.kind === 'answered' && member.inHand.delete(event.request)) {
      this.#unanswered--;
    } else if (event.kind === 'failed' && member.inHand.delete(event.request)) {
      this.#todo.unshift(event.request);
    }
    if (this.#unanswered === 0) {
      this.#allAnswered();
    }
    this.#handOut();
  }

  /** To whoever has the least in hand, until all hands are full. */
  #handOut(): void {
    for (;;) {
      const free = this.#members.filter((m) => m.alive && m.inHand.size < this.#plan.perWorker);
      const [next] = free.sort((a, b) => a.inHand.size - b.inHand.size);
      const request = next && this.#todo.shift();
      if (request === undefined) {
        return;
      }
      next?.inHand.add(request);
      next?.process.send(request, () => {}); // one that fails was sent to the dead: see kill
    }
  }

  /** Rejects when this worker ends and was not to; never resolves. */
  #accident(member: Member): Promise<never> {
    return new Promise((_resolve, reject) => {
      member.ended.then((errors) => {
        if (member.alive) {
          reject(new Error(`Worker ${member.worker} ended, and was not to. ${errors.trim()}`));
        }
      }, reject);
    });
  }
}

function start(settings: WorkerSettings): Member {
  const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), {
    // The url may have a password: not for the command line, which everybody can see.
    env: { ...process.env, DEMO_WORKER: JSON.stringify(settings) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const ready = once(child, 'message');
  const errors = child.stderr ? text(child.stderr) : '';
  const ended = once(child, 'exit').then(() => errors);
  return { worker: settings.worker, process: child, ready, ended, inHand: new Set(), alive: true };
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}
