import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What a `Companion` listens for. */
export const heardSignals = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGTSTP',
  'SIGCONT',
] as const;
export type HeardSignal = (typeof heardSignals)[number];

const names = heardSignals.map((signal) => signal.slice(3)).join(' ');

/**
 * Each signal is a line, each question (an empty line) is answered by an empty one: what came before it was heard before
 * it. Shells let `read` fail when a signal interrupts it, as at the end of stdin, which comes when parkade is gone.
 */
const script = `# beside a command of parkade run
for signal in ${names}; do trap "heard=1; echo SIG$signal" $signal; done
while :; do
  heard=
  if read -r question; then echo
  elif [ -z "$heard" ]; then break
  fi
done
trap '' PIPE ${names}
kill -TERM "$1" || exit; kill -CONT "$1"
while [ "$2" -gt 0 ] && kill -0 "$1"; do sleep 1; set -- "$1" $(($2 - 1)); done
kill -KILL "$1"`;

/** Longer than it takes a shell to answer, on a busy machine. */
const answerMs = 1_000;

/**
 * A small process beside the command that is run, in our process group, for two things that we can't do ourselves.
 *
 * It hears which signals come to the whole group, as Ctrl-C sends them, so that they are not passed on to a command that
 * has them already: the system tells handlers who sent a signal, and Node does not pass that on. And it ends the command
 * when we are gone without having said so, by SIGKILL for one: nobody would renew its permit.
 */
export class Companion {
  readonly #args: readonly string[];
  #process!: ChildProcess;
  #isThere = true;
  #heard = new Set<string>();
  readonly #questions: (() => void)[] = [];
  readonly #open = new Map<HeardSignal, Promise<boolean | undefined>>();

  constructor(commandPid: number, graceMs: number) {
    this.#args = ['-c', script, 'parkade', String(commandPid), String(Math.ceil(graceMs / 1000))];
    this.#start();
  }

  /** Whether a signal that we got came to the whole group; undefined if there is no telling. */
  heard(signal: HeardSignal): Promise<boolean | undefined> {
    let answer = this.#open.get(signal);
    if (answer === undefined) {
      answer = this.#ask(signal).finally(() => this.#open.delete(signal));
      this.#open.set(signal, answer);
    }
    return answer;
  }

  close(): void {
    this.#isThere = false;
    this.#process.kill('SIGKILL');
  }

  async #ask(signal: HeardSignal): Promise<boolean | undefined> {
    if (this.#isThere) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#questions.push(resolve);
        this.#process.stdin?.write('\n');
        timer = setTimeout(resolve, answerMs);
      });
      clearTimeout(timer);
    }
    return this.#heard.delete(signal) || (this.#isThere ? false : undefined);
  }

  #start(): void {
    const companion = spawn('sh', this.#args, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#process = companion;
    companion.stdin.on('error', () => {}); // of one that has ended, which 'exit' tells
    createInterface({ input: companion.stdout }).on('line', (line) => {
      if (line === '') {
        this.#questions.shift()?.();
      } else {
        this.#heard.add(line);
      }
    });
    companion.once('error', () => this.#end());
    companion.once('exit', (_code, signal) => {
      if (this.#isThere && heardSignals.some((name) => name === signal)) {
        this.#heard.add(signal as string); // before it could listen
        this.#answerAll();
        this.#start();
      } else {
        this.#end();
      }
    });
  }

  #end(): void {
    this.#isThere = false;
    this.#answerAll();
  }

  #answerAll(): void {
    for (const answer of this.#questions.splice(0)) answer();
  }
}
