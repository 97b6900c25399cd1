import type { Detail, Hello, History, Look, Refusal } from '../messages.ts';

export interface ConnectionEvents {
  hello(hello: Hello): void;
  look(look: Look): void;
  history(history: History): void;
  detail(detail: Detail): void;
  /** How the connection to the dashboard's server is. */
  state(state: ConnectionState): void;
}

export type ConnectionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** Nobody looks at the page, so the server need not either. */
  | { readonly kind: 'paused' }
  | { readonly kind: 'lost'; readonly againAtMs: number; readonly ended: boolean }
  | { readonly kind: 'signed-out' };

const firstBackOffMs = 500;
const longestBackOffMs = 15_000;
/** The server says something every five seconds. */
const silenceMs = 16_000;
const hiddenMs = 60_000;

/** The stream of what the server sees. Comes back by itself, ever more rarely, and at once when asked. */
export class Connection {
  readonly #events: ConnectionEvents;
  #source: EventSource | undefined;
  #open: string | undefined;
  #size = 100;
  #backOffMs = firstBackOffMs;
  #againTimer = 0;
  #silenceTimer = 0;
  #hiddenTimer = 0;
  #isPaused = false;
  #hasEnded = false;

  constructor(events: ConnectionEvents) {
    this.#events = events;
    window.addEventListener('online', () => this.tryNow());
    window.addEventListener('pagehide', () => this.#source?.close());
    window.addEventListener('pageshow', ({ persisted }) => {
      if (persisted) this.tryNow();
    });
    document.addEventListener('visibilitychange', () => this.#visibility());
  }

  /** Of which semaphore holders and waiters are wanted, and how many. */
  watch(open: string | undefined, size: number): void {
    this.#open = open;
    this.#size = size;
    this.tryNow();
  }

  tryNow(): void {
    if (this.#isPaused) {
      return;
    }
    clearTimeout(this.#againTimer);
    this.#source?.close();
    const query = new URLSearchParams({ size: String(this.#size) });
    if (this.#open !== undefined) {
      query.set('open', this.#open);
    }
    const source = new EventSource(`events?${query}`);
    this.#source = source;
    const on = <T>(event: string, tell: (data: T) => void) =>
      source.addEventListener(event, ({ data }: MessageEvent<string>) => {
        if (source === this.#source) {
          this.#heard();
          tell(JSON.parse(data) as T);
        }
      });
    on<Hello>('hello', (hello) => {
      this.#backOffMs = firstBackOffMs;
      this.#hasEnded = false;
      this.#events.state({ kind: 'live' });
      this.#events.hello(hello);
    });
    on<Look>('look', (look) => this.#events.look(look));
    on<History>('history', (history) => this.#events.history(history));
    on<Detail>('detail', (detail) => this.#events.detail(detail));
    on('beat', () => {});
    on('end', () => {
      this.#hasEnded = true;
      void this.#lost(source);
    });
    source.onerror = () => void this.#lost(source);
    this.#heard();
  }

  #heard(): void {
    clearTimeout(this.#silenceTimer);
    const source = this.#source;
    this.#silenceTimer = setTimeout(() => source && void this.#lost(source), silenceMs);
  }

  async #lost(source: EventSource): Promise<void> {
    source.close();
    if (source !== this.#source) {
      return;
    }
    this.#source = undefined;
    clearTimeout(this.#silenceTimer);
    const waitMs = this.#backOffMs * (0.75 + Math.random() / 2);
    this.#backOffMs = Math.min(longestBackOffMs, this.#backOffMs * 2);
    this.#againTimer = setTimeout(() => this.tryNow(), waitMs);
    this.#events.state({ kind: 'lost', againAtMs: Date.now() + waitMs, ended: this.#hasEnded });
    if ((await isSignedIn()) === false && this.#source === undefined) {
      clearTimeout(this.#againTimer);
      this.#events.state({ kind: 'signed-out' });
    }
  }

  #visibility(): void {
    clearTimeout(this.#hiddenTimer);
    if (document.hidden) {
      this.#hiddenTimer = setTimeout(() => {
        this.#isPaused = true;
        this.#source?.close();
        this.#source = undefined;
        clearTimeout(this.#againTimer);
        clearTimeout(this.#silenceTimer);
        this.#events.state({ kind: 'paused' });
      }, hiddenMs);
    } else if (this.#isPaused) {
      this.#isPaused = false;
      this.#events.state({ kind: 'connecting' });
      this.tryNow();
    }
  }
}

/** Undefined if the server does not answer. */
export async function isSignedIn(): Promise<boolean | undefined> {
  try {
    const { status } = await fetch('session', { signal: AbortSignal.timeout(5_000) });
    return status === 204 ? true : status === 401 ? false : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Asks the server for a change.
 *
 * @throws Error which says why not, for people to read
 */
export async function post(path: string, body: object): Promise<void> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-parkade': '1' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    });
  } catch {
    throw new Error('The dashboard does not answer; it is not known whether this was done.');
  }
  if (!response.ok) {
    const { error } = (await response.json().catch(() => ({ error: response.statusText }))) as Refusal;
    throw new Error(error);
  }
}
