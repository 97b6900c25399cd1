import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Setting } from './contenders/contender.ts';
import type { ContenderName } from './contenders/names.ts';
import type { Answer, Calls, Request } from './worker.ts';

interface WorkerSetting {
  readonly file: string;
  /** The folder for CPU profiles, if there are to be any. */
  readonly profiles: string | undefined;
  readonly title: string;
}

/** A process in which a contender runs. */
export class Worker {
  readonly #child: ChildProcess;
  readonly #open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #isProfiled: boolean;
  #lastNo = 0;

  constructor({ file, profiles, title }: WorkerSetting) {
    this.#isProfiled = profiles !== undefined;
    const profiling = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profiles, title)}`];
    this.#child = fork(file, {
      execArgv: ['--expose-gc', ...profiling],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (answer: Answer) => this.#hear(answer));
    this.#child.once('exit', (code, signal) => this.#end(`The worker ended with ${signal ?? code}.`));
    this.#child.on('error', (error) => this.#end(error.message));
  }

  call<Call extends keyof Calls>(
    call: Call,
    ...args: Parameters<Calls[Call]>
  ): Promise<ReturnType<Calls[Call]>> {
    const no = ++this.#lastNo;
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) {
        reject(new Error('The worker has ended.'));
        return;
      }
      this.#open.set(no, { resolve: resolve as (value: unknown) => void, reject });
      this.#child.send({ no, call, args } as unknown as Request);
    });
  }

  /** What it holds or waits for does not matter any more. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    // A profile is written by a process that ends by itself.
    if (this.#isProfiled && this.#child.connected) this.#child.disconnect();
    else this.#child.kill('SIGKILL');
    await exited;
  }

  #hear(answer: Answer): void {
    const call = this.#open.get(answer.no);
    this.#open.delete(answer.no);
    if ('error' in answer) call?.reject(new Error(answer.error));
    else call?.resolve(answer.value);
  }

  #end(why: string): void {
    for (const { reject } of this.#open.values()) reject(new Error(why));
    this.#open.clear();
  }
}

/** The processes of one contender in one scenario. */
export class Crew {
  readonly workers: readonly Worker[];
  readonly prefix: string;

  private constructor(workers: readonly Worker[], prefix: string) {
    this.workers = workers;
    this.prefix = prefix;
  }

  static async start(
    { file, profiles }: Omit<WorkerSetting, 'title'>,
    count: number,
    contender: ContenderName,
    setting: Setting,
  ): Promise<Crew> {
    const crew = new Crew(
      Array.from({ length: count }, () => new Worker({ file, profiles, title: contender })),
      setting.prefix,
    );
    try {
      await Promise.all(crew.workers.map((worker) => worker.call('open', contender, setting)));
      return crew;
    } catch (error) {
      await crew.kill();
      throw error;
    }
  }

  get first(): Worker {
    return this.workers[0] as Worker;
  }

  async kill(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.kill()));
  }
}
