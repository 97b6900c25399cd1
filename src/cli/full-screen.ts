import { emitKeypressEvents, type Key } from 'node:readline';

/** The alternate screen, without cursor and without lines that wrap; and back. */
const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const leave = '\x1b[?7h\x1b[?25h\x1b[?1049l';

export interface FullScreenEvents {
  /** `a`, `up`, `pagedown`, `return`, `ctrl+c`, … */
  key(name: string): void;
  /** The terminal has another size, or shows us again: draw. */
  redraw(): void;
}

/** A terminal that is ours alone until `close`, and as it was then, on every way out of this process but SIGKILL. */
export class FullScreen {
  readonly #events: FullScreenEvents;
  #isOpen = false;

  constructor(events: FullScreenEvents) {
    this.#events = events;
    emitKeypressEvents(process.stdin);
    process.stdin.on('keypress', this.#onKey);
    process.stdout.on('resize', this.#onResize);
    process.on('exit', this.#leave);
    process.on('SIGCONT', this.#enter);
    this.#enter();
    process.stdin.resume();
  }

  get rows(): number {
    return process.stdout.rows || 24;
  }

  get columns(): number {
    return process.stdout.columns || 80;
  }

  draw(lines: readonly string[]): void {
    if (this.#isOpen) {
      const text = lines.slice(0, this.rows).map((line) => `${line}\x1b[K`);
      process.stdout.write(`\x1b[H${text.join('\r\n')}\x1b[J`);
    }
  }

  close(): void {
    this.#leave();
    process.stdin.off('keypress', this.#onKey);
    process.stdin.pause();
    process.stdout.off('resize', this.#onResize);
    process.off('exit', this.#leave);
    process.off('SIGCONT', this.#enter);
  }

  readonly #enter = (): void => {
    process.stdin.setRawMode(true);
    process.stdout.write(enter);
    this.#isOpen = true;
    this.#events.redraw();
  };

  readonly #leave = (): void => {
    if (this.#isOpen) {
      this.#isOpen = false;
      process.stdin.setRawMode(false);
      process.stdout.write(leave);
    }
  };

  readonly #onResize = (): void => this.#events.redraw();

  readonly #onKey = (text: string | undefined, { name, ctrl }: Key): void => {
    if (ctrl && name === 'z') {
      this.#leave();
      process.kill(process.pid, 'SIGTSTP'); // raw mode has kept the terminal from it
    } else {
      this.#events.key(ctrl ? `ctrl+${name}` : (name ?? text ?? ''));
    }
  };
}
