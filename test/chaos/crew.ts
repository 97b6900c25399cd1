import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { nodeArgs } from '../../support/redis/watched.ts';
import { type ChaosSettings, nowUs, type SupervisorEvent } from './history.ts';
import type { Way } from './way.ts';

/** What a worker is told at its start. */
export interface WorkerOrders {
  readonly worker: string;
  readonly slot: number;
  readonly seed: number;
  readonly way: Way;
  readonly storePort: number;
  readonly folder: string;
  readonly prefix: string;
  readonly name: string;
  readonly settings: ChaosSettings;
}

export type WorkerCommand = { do: 'calm' | 'drain' | 'close' } | { do: 'block'; ms: number };

interface Member {
  readonly worker: string;
  readonly slot: number;
  readonly process: ChildProcess;
  readonly ready: Promise<unknown>;
  readonly idle: Promise<void>;
  readonly exited: Promise<unknown>;
}

/** The worker processes: one in each place, and another one when it is killed. */
export class Crew {
  readonly #ordersOf: (slot: number) => Omit<WorkerOrders, 'worker' | 'slot'>;
  readonly #log: (event: SupervisorEvent) => void;
  readonly #members: Member[] = [];
  readonly #lives: number[] = [];
  /** What each worker said on stderr, which none should. */
  readonly complaints: string[] = [];
  #calm = false;

  constructor(
    ordersOf: (slot: number) => Omit<WorkerOrders, 'worker' | 'slot'>,
    log: (event: SupervisorEvent) => void,
  ) {
    this.#ordersOf = ordersOf;
    this.#log = log;
  }

  /** Resolves when all are at work. */
  async start(count: number): Promise<void> {
    for (let slot = 0; slot < count; slot++) {
      this.#members[slot] = this.#spawn(slot);
    }
    await Promise.all(this.#members.map(({ ready }) => ready));
  }

  pidOf(slot: number): number {
    return this.#members[slot]?.process.pid as number;
  }

  /** SIGKILL; resolves when another one is at work in its place. */
  async replace(slot: number): Promise<void> {
    const member = this.#members[slot] as Member;
    this.#log({ kind: 'killed', at: nowUs(), worker: member.worker });
    member.process.kill('SIGKILL');
    await member.exited;
    this.#members[slot] = this.#spawn(slot);
    await this.#members[slot].ready;
  }

  tell(slot: number, command: WorkerCommand): void {
    this.#members[slot]?.process.send(command, () => {});
  }

  calm(): void {
    this.#calm = true;
    this.#tellAll({ do: 'calm' });
  }

  /** Resolves when everything that was asked for is settled. */
  async drain(): Promise<void> {
    this.#tellAll({ do: 'drain' });
    await Promise.all(this.#members.map(({ idle }) => idle));
  }

  /** Resolves when no process is left; whoever does not close by itself is killed. */
  async close(withinMs: number): Promise<void> {
    this.#tellAll({ do: 'close' });
    const exits = this.#members.map(async ({ process, exited, worker }) => {
      const timer = setTimeout(() => {
        this.complaints.push(`${worker} did not end within ${withinMs} ms of being told to`);
        process.kill('SIGKILL');
      }, withinMs);
      await exited;
      clearTimeout(timer);
    });
    await Promise.all(exits);
  }

  /** When the run itself has failed. */
  killAll(): void {
    for (const { process } of this.#members) process.kill('SIGKILL');
  }

  #tellAll(command: WorkerCommand): void {
    for (const { slot } of this.#members) this.tell(slot, command);
  }

  #spawn(slot: number): Member {
    const life = (this.#lives[slot] ?? 0) + 1;
    this.#lives[slot] = life;
    const worker = `w${slot}.${life}`;
    const orders: WorkerOrders = { ...this.#ordersOf(slot), worker, slot };
    const seeded = { ...orders, seed: orders.seed * 1_000 + slot * 50 + life };
    const { LD_PRELOAD: _, ...env } = process.env;
    const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), {
      env: { ...env, PARKADE_CHAOS_WORKER: JSON.stringify(seeded) },
      execArgv: [...nodeArgs],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.complaints.push(`${worker}: ${text.trim()}`);
    });
    const exited = once(child, 'exit').then(([code, signal]) => {
      this.#log({ kind: 'exited', at: nowUs(), worker, code, signal });
    });
    const ready = Promise.race([once(child, 'message'), exited]);
    const idle = new Promise<void>((resolve) => {
      child.on('message', (said) => said === 'idle' && resolve());
      void exited.then(() => resolve());
    });
    if (this.#calm) ready.then(() => child.send({ do: 'calm' } satisfies WorkerCommand, () => {}));
    return { worker, slot, process: child, ready, idle, exited };
  }
}
