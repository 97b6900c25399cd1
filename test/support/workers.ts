import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { AcquireOptions } from '../../src/index.ts';
import { nodeArgs } from '../../support/redis/watched.ts';
import type { Answer, Calls, PermitFacts, Request, Setting } from '../processes/worker.ts';
import { redisUrl, uniquePrefix } from './redis.ts';

/** A permit that another process holds. */
export interface RemotePermit extends PermitFacts {
  release(): Promise<boolean>;
}

/** Where a worker runs. */
export interface Place {
  /** Of its answers, until it has ended. */
  listen(hear: (answer: Answer) => void, ended: () => void): void;
  send(request: Request): void;
  pause(): void | Promise<void>;
  go(): void | Promise<void>;
  kill(): Promise<void>;
}

/** A process with a client of its own, which can be stopped and killed. */
export class Worker {
  readonly #place: Place;
  readonly #open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #lastNo = 0;
  /** Of its client. */
  id = '';

  constructor(place: Place = new ForkedProcess()) {
    this.#place = place;
    place.listen(
      (answer) => this.#hear(answer),
      () => this.#end(),
    );
  }

  semaphore(name: string, { limit }: { limit: number }): RemoteSemaphore {
    return new RemoteSemaphore(this, name, limit);
  }

  look(permit: PermitFacts): Promise<{ isHeld: boolean; aborted: boolean; reason: unknown }> {
    return this.call('look', [permit.id]) as Promise<never>;
  }

  /** It does not run until `go`. */
  pause(): void | Promise<void> {
    return this.#place.pause();
  }

  go(): void | Promise<void> {
    return this.#place.go();
  }

  /** At once, without a farewell. Resolves when it is gone. */
  kill(): Promise<void> {
    return this.#place.kill();
  }

  /** Calls a function of the worker; an abort is passed on. */
  call<Call extends keyof Calls>(call: Call, args: Parameters<Calls[Call]>, signal?: AbortSignal) {
    const no = ++this.#lastNo;
    const abort = () => this.#send({ no, abort: true });
    const answered = new Promise<ReturnType<Calls[Call]>>((resolve, reject) => {
      this.#open.set(no, { resolve: resolve as (value: unknown) => void, reject });
      this.#send({ no, call, args } as unknown as Request);
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
    return answered.finally(() => signal?.removeEventListener('abort', abort));
  }

  #send(request: Request): void {
    this.#place.send(request);
  }

  #hear(answer: Answer): void {
    const call = this.#open.get(answer.no);
    this.#open.delete(answer.no);
    if ('value' in answer) call?.resolve(answer.value);
    else if ('error' in answer) call?.reject(Object.assign(new Error(answer.error.message), answer.error));
    else call?.resolve(undefined); // `undefined` does not survive the way
  }

  #end(): void {
    for (const { reject } of this.#open.values()) reject(new Error('The worker process has ended.'));
    this.#open.clear();
  }
}

/** A semaphore as another process has it, with the calls that tests need. */
export class RemoteSemaphore {
  readonly #worker: Worker;
  readonly #name: string;
  readonly #limit: number;

  constructor(worker: Worker, name: string, limit: number) {
    this.#worker = worker;
    this.#name = name;
    this.#limit = limit;
  }

  async acquire({ signal, ...options }: AcquireOptions = {}): Promise<RemotePermit> {
    return this.#permit(await this.#worker.call('acquire', [this.#name, this.#limit, options], signal));
  }

  async tryAcquire(options: Omit<AcquireOptions, 'signal'> = {}): Promise<RemotePermit | null> {
    const facts = await this.#worker.call('tryAcquire', [this.#name, this.#limit, options]);
    return facts && this.#permit(facts);
  }

  loop(times: number, options: Omit<AcquireOptions, 'signal'> = {}): Promise<PermitFacts[]> {
    return this.#worker.call('loop', [this.#name, this.#limit, times, options]);
  }

  release(permit?: { id: string }): Promise<boolean> {
    return this.#worker.call('release', [this.#name, this.#limit, permit?.id]);
  }

  resize(to: number): Promise<void> {
    return this.#worker.call('resize', [this.#name, this.#limit, to]);
  }

  #permit(facts: PermitFacts): RemotePermit {
    return { ...facts, release: () => this.release(facts) };
  }
}

/** A process beside that of the test. */
class ForkedProcess implements Place {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('../processes/worker.ts', import.meta.url)), {
      execArgv: [...nodeArgs],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('error', () => {});
  }

  listen(hear: (answer: Answer) => void, ended: () => void): void {
    this.#child.on('message', hear);
    this.#child.once('exit', ended);
  }

  send(request: Request): void {
    if (this.#child.connected) this.#child.send(request);
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  go(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

/** Starts so many workers at once; `stop` kills them. */
export async function startWorkers(count: number, setting: Partial<Setting> = {}) {
  const shared: Setting = { url: redisUrl(), prefix: uniquePrefix(), presenceMs: 1_500, ...setting };
  const workers = Array.from({ length: count }, () => new Worker());
  const stop = () => Promise.all(workers.map((worker) => worker.kill()));
  process.once('exit', () => void stop());
  try {
    await Promise.all(
      workers.map(async (worker) => {
        worker.id = await worker.call('open', [shared]);
      }),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { workers, prefix: shared.prefix, stop };
}

/** As `startWorkers`, for one test: they are killed at its end. */
export async function openWorkers(count: number, setting: Partial<Setting> = {}) {
  const { workers, prefix, stop } = await startWorkers(count, setting);
  onTestFinished(async () => void (await stop()));
  return { workers, prefix };
}
