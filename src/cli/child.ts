import { type ChildProcess, spawn } from 'node:child_process';
import { Companion, type HeardSignal, heardSignals } from './companion.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { stopSelf } from './signals.ts';

/** Those that a terminal sends to all whom it runs. */
const fromTerminal: readonly HeardSignal[] = ['SIGINT', 'SIGQUIT', 'SIGTSTP', 'SIGWINCH', 'SIGCONT'];

/** How a command ended. */
export type Ended =
  | { readonly code: number; readonly signal: null }
  | { readonly code: null; readonly signal: NodeJS.Signals };

/**
 * A command that runs with our own stdin, stdout and stderr. Signals that come to us alone go on to it, and never end us
 * before it has ended; those that come to the whole process group, as from a terminal, it has already. When it is to
 * stop, we stop with it, so that a shell has its prompt back.
 */
export class Child {
  readonly #process: ChildProcess;
  readonly #companion: Companion | undefined;
  readonly #graceMs: number;
  /** Rejects with a `Failure` if it can't be run. */
  readonly ended: Promise<Ended>;

  /** @param graceMs from SIGTERM to SIGKILL, when it has to end */
  constructor(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    graceMs: number,
  ) {
    this.#graceMs = graceMs;
    this.#process = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    if (this.#process.pid !== undefined) {
      this.#companion = new Companion(this.#process.pid, graceMs);
    }
    for (const signal of heardSignals) process.on(signal, this.#pass);
    this.ended = new Promise<Ended>((resolve, reject) => {
      this.#process.once('error', (error: NodeJS.ErrnoException) => {
        if (this.#process.pid === undefined) {
          reject(whyNotRun(command, error));
        }
      });
      this.#process.once('exit', (code, signal) => {
        this.#companion?.close();
        resolve({ code, signal } as Ended);
      });
    });
  }

  /** From here on signals do with us what they do with any process. */
  close(): void {
    for (const signal of heardSignals) process.off(signal, this.#pass);
  }

  /** Asks it to end, and ends it when the grace time is over. */
  end(): void {
    this.#process.kill('SIGTERM');
    this.#process.kill('SIGCONT'); // one that is stopped would not hear it
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), this.#graceMs);
    this.#process.once('exit', () => clearTimeout(timer));
  }

  readonly #pass = async (name: NodeJS.Signals): Promise<void> => {
    const signal = name as HeardSignal;
    const heard = await this.#companion?.heard(signal);
    if (!(heard ?? (process.stdin.isTTY && fromTerminal.includes(signal)))) {
      this.#process.kill(signal);
    }
    if (signal === 'SIGTSTP' && this.#process.exitCode === null && this.#process.signalCode === null) {
      stopSelf(this.#pass);
    }
  };
}

function whyNotRun(command: string, error: NodeJS.ErrnoException): Failure {
  return error.code === 'ENOENT'
    ? new Failure(`${command}: command not found`, exitCodes.commandNotFound)
    : new Failure(`${command}: can't be run (${error.code ?? error.message})`, exitCodes.notExecutable);
}
