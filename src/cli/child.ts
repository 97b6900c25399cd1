import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';

/** What is passed on to the command. The terminal sends SIGINT, SIGQUIT and SIGTSTP to it as well as to us. */
const passedOn = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;
/** From a terminal these have come to the command already, which is in our process group. */
const fromTerminal = ['SIGINT', 'SIGQUIT'] as const;

/**
 * A command that runs with our own stdin, stdout and stderr. Signals that come to us go on to it, and never end us
 * before it has ended.
 */
export class Child {
  readonly #process: ChildProcess;
  /** Resolves to the exit code as a shell has it; rejects with a `Failure` if it can't be run. */
  readonly ended: Promise<number>;

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#process = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    const pass = (signal: NodeJS.Signals) => void this.#process.kill(signal);
    const passUnlessSent = (signal: NodeJS.Signals) => {
      if (!process.stdin.isTTY) {
        pass(signal);
      }
    };
    for (const signal of passedOn) process.on(signal, pass);
    for (const signal of fromTerminal) process.on(signal, passUnlessSent);
    this.ended = new Promise<number>((resolve, reject) => {
      this.#process.once('error', (error: NodeJS.ErrnoException) => {
        if (this.#process.pid === undefined) {
          reject(whyNotRun(command, error));
        }
      });
      this.#process.once('exit', (code, signal) => resolve(code ?? codeOf(signal as NodeJS.Signals)));
    });
  }

  /** Asks it to end, and ends it when the grace time is over. */
  end(graceMs: number): void {
    this.#process.kill('SIGTERM');
    this.#process.kill('SIGCONT'); // one that is stopped would not hear it
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), graceMs);
    this.#process.once('exit', () => clearTimeout(timer));
  }
}

/** As shells have it: 128 and the number of the signal. */
export function codeOf(signal: NodeJS.Signals): number {
  return exitCodes.signal + (constants.signals[signal] ?? 0);
}

function whyNotRun(command: string, error: NodeJS.ErrnoException): Failure {
  return error.code === 'ENOENT'
    ? new Failure(`${command}: command not found`, exitCodes.commandNotFound)
    : new Failure(`${command}: can't be run (${error.code ?? error.message})`, exitCodes.notExecutable);
}
