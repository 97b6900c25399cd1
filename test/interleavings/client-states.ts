import type { Program } from './program.ts';
import { type ClientEvent, type ClientView, SimulatedClient } from './simulated-client.ts';

/** What a client has come to, and how. */
interface ClientState {
  readonly view: ClientView;
  readonly before: number;
  readonly event: ClientEvent;
  readonly atMs: number;
}

/** So many clients are kept running, each in a state from which the exploration may go on. */
const mostLive = 3_000;

const nothing: ClientView = {
  sent: [],
  unanswered: [],
  nextTimerMs: Number.POSITIVE_INFINITY,
  holds: [],
  requests: {},
  firstRecords: {},
  busy: 0,
  waiting: 0,
  subscribers: 0,
  told: [],
  troubles: [],
};

/**
 * The states of one client of a program, and what each event makes of each. A real client can't be copied or set back,
 * but it does the same whenever the same happens to it: so a state is a history of events, and what the client
 * makes of one more is found once, by a real client that has lived through that history.
 */
export class ClientStates {
  readonly #program: Program;
  readonly #no: number;
  readonly #prefix: string;
  readonly #states: (ClientState | undefined)[] = [undefined];
  readonly #next = new Map<string, number>();
  readonly #live = new Map<number, SimulatedClient>();

  constructor(program: Program, no: number, prefix: string) {
    this.#program = program;
    this.#no = no;
    this.#prefix = prefix;
  }

  get size(): number {
    return this.#states.length;
  }

  view(state: number): ClientView {
    return this.#states[state]?.view ?? nothing;
  }

  /** @param key what tells the event from all others at that time */
  next(state: number, key: string, event: ClientEvent, atMs: number): number | Promise<number> {
    const step = `${state} ${key} ${atMs}`;
    return this.#next.get(step) ?? this.#find(step, { before: state, event, atMs });
  }

  async #find(step: string, how: Omit<ClientState, 'view'>): Promise<number> {
    const client = this.#live.get(how.before) ?? (await this.#relive(how.before));
    this.#live.delete(how.before);
    const view = await client.happen(how.event, how.atMs);
    const state = this.#states.push({ ...how, view }) - 1;
    this.#next.set(step, state);
    this.#live.set(state, client);
    for (const oldest of this.#live.keys()) {
      if (this.#live.size <= mostLive) break;
      this.#live.delete(oldest);
    }
    return state;
  }

  async #relive(state: number): Promise<SimulatedClient> {
    const past: ClientState[] = [];
    for (let at = this.#states[state]; at !== undefined; at = this.#states[at.before]) {
      past.push(at);
    }
    const client = new SimulatedClient(this.#program, this.#no, this.#prefix);
    for (const { event, atMs, view } of past.reverse()) {
      const again = await client.happen(event, atMs);
      if (again.sent.length !== view.sent.length || again.nextTimerMs !== view.nextTimerMs) {
        throw new Error('A client did something else than before, although the same happened to it.');
      }
    }
    return client;
  }
}
