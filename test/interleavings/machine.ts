import { readRecord } from '../../src/redis/keys.ts';
import { ClientStates } from './client-states.ts';
import { judgeExecution, judgeParties } from './judge.ts';
import type { Executed, MemoisedServer } from './memoised-server.ts';
import { epochUs, type FaultKind, opsOf, type Program } from './program.ts';
import type { Call, ClientEvent, ClientView } from './simulated-client.ts';
import { type ChannelName, faultsLeftOf, type Party, spend, type World, withParty } from './world.ts';

/** One thing that can happen next. `time` is the only one that happens to nobody. */
export interface Step {
  readonly kind:
    | 'op'
    | 'execute'
    | 'late'
    | 'reply'
    | 'message'
    | 'subscribe'
    | 'timer'
    | 'reconnect'
    | 'resume'
    | 'time'
    | FaultKind;
  /** Which client. */
  readonly to: number;
}

/** Where a step leads, and what is wrong there, in sentences. */
export interface Outcome {
  readonly world: World;
  readonly faults: readonly string[];
}

const channels: readonly ChannelName[] = ['requests', 'replies', 'messages'];

/** The clients, the network and Redis of a program: which steps are possible, and where each leads. */
export class Machine {
  readonly program: Program;
  readonly server: MemoisedServer;
  readonly #states: readonly ClientStates[];
  /** The last client before it that does the same, by client. */
  readonly #twins: readonly (number | undefined)[];
  /** Every call that was ever sent by a client, by its number there and where in its history; by content here. */
  readonly #calls: Call[] = [];
  readonly #callNumbers = new Map<string, number>();

  constructor(program: Program, server: MemoisedServer) {
    this.program = program;
    this.server = server;
    this.#states = program.clients.map((_script, no) => new ClientStates(program, no, server.prefix));
    const scripts = program.clients.map((script) => JSON.stringify(script));
    this.#twins = scripts.map((script, no) => {
      const twin = scripts.lastIndexOf(script, no - 1);
      return no === 0 || twin < 0 ? undefined : twin;
    });
  }

  /** How many states the clients have been in. */
  get clientStates(): number {
    return this.#states.reduce((sum, { size }) => sum + size - 1, 0);
  }

  view(world: World, no: number): ClientView {
    return (this.#states[no] as ClientStates).view((world.parties[no] as Party).state);
  }

  call(number: number): Call {
    return this.#calls[number] as Call;
  }

  /** What can happen next, faults included. */
  possible(world: World): Step[] {
    const steps: Step[] = [];
    let mayTimePass = true;
    let toDelay = 0;
    world.parties.forEach((party, to) => {
      const add = (kind: Step['kind'], isPossible = true) => isPossible && steps.push({ kind, to });
      const fault = (kind: FaultKind, isPossible: boolean) =>
        add(kind, isPossible && faultsLeftOf(world, kind) > 0);
      const twin = this.#twins[to];
      // Of clients that do the same, the first in name is the first whom Redis hears: else only their names differ.
      const isItsTurn = twin === undefined || world.parties[twin]?.wasHeard === true;
      add('execute', party.requests.length > 0 && isItsTurn);
      add('late', party.late.length > 0 && isItsTurn);
      fault('lose-request', party.requests.length > 0);
      fault('overtake', party.requests.length > 1 && isItsTurn);
      if (party.life === 'dead') return;
      fault('crash', true);
      fault('lose-reply', party.replies.length > 0);
      fault(
        'lose-message',
        party.messages.some((text) => text !== undefined),
      );
      const view = this.view(world, to);
      add('subscribe', party.subscriber < view.subscribers);
      add('reconnect', !party.isConnected);
      add('resume', party.life === 'paused');
      fault('cut', party.isConnected);
      fault('cut-late', party.isConnected && party.requests.length > 0);
      fault('deafen', view.subscribers > 0 && party.subscriber === view.subscribers);
      if (party.life === 'paused') return;
      fault('pause', true);
      fault('double-message', party.messages[0] !== undefined);
      add('op', this.#isNextPossible(party, view, to));
      add('reply', party.replies.length > 0);
      add('message', party.messages.length > 0);
      const isDue = view.nextTimerMs <= world.nowMs;
      add('timer', isDue);
      mayTimePass &&= !isDue;
      toDelay += this.#standing(party, view).filter((name) => !party.delayed.includes(name)).length;
    });
    if (faultsLeftOf(world, 'flush') > 0 && world.data !== 0) steps.push({ kind: 'flush', to: -1 });
    if (
      mayTimePass &&
      toDelay <= faultsLeftOf(world, 'delay') &&
      this.#nextMs(world) <= this.program.horizonMs
    ) {
      steps.push({ kind: 'time', to: -1 });
    }
    return steps;
  }

  /** What happens next when nothing goes wrong any more and nothing takes longer than it must; `undefined` at the end. */
  natural(world: World): Step | undefined {
    const first = (
      kind: Step['kind'],
      isPossible: (party: Party, view: ClientView, no: number) => boolean,
    ) => {
      const to = world.parties.findIndex((party, no) => isPossible(party, this.view(world, no), no));
      return to < 0 ? undefined : { kind, to };
    };
    const runs = ({ life }: Party) => life === 'runs';
    return (
      first('resume', ({ life }) => life === 'paused') ??
      first('reconnect', (party) => runs(party) && !party.isConnected) ??
      first('late', ({ late }) => late.length > 0) ??
      first('execute', ({ requests }) => requests.length > 0) ??
      first('reply', (party) => runs(party) && party.replies.length > 0) ??
      first('subscribe', (party, view) => runs(party) && party.subscriber < view.subscribers) ??
      first('message', (party) => runs(party) && party.messages.length > 0) ??
      first('timer', (party, view) => runs(party) && view.nextTimerMs <= world.nowMs) ??
      first('op', (party, view, no) => runs(party) && this.#isNextPossible(party, view, no)) ??
      (this.isOver(world) || this.#nextMs(world) === Number.POSITIVE_INFINITY
        ? undefined
        : { kind: 'time', to: -1 })
    );
  }

  /** Everybody has had all that was asked for, and all is given back. */
  isOver(world: World): boolean {
    const { permits, clients, waiters } = this.server.keys(world.data);
    const nowMs = world.nowMs + Math.floor(epochUs / 1000);
    // What has expired, and waiters whose client is absent, the next script takes out, whoever sends it.
    const isThere = (record: string) => (clients[readRecord(record)?.clientId ?? ''] ?? 0) > nowMs;
    return (
      Object.values(permits).every((expiresAtMs) => expiresAtMs <= nowMs) &&
      !waiters.some(isThere) &&
      world.parties.every((party, no) => {
        if (party.life === 'dead') return party.requests.length + party.late.length === 0;
        const { holds, requests, busy, waiting, subscribers } = this.view(world, no);
        const isServed = !Object.values(requests).includes('pending');
        const isQuiet =
          party.requests.length + party.late.length + party.replies.length + party.messages.length === 0;
        return (
          isServed &&
          isQuiet &&
          holds.length + busy + waiting === 0 &&
          party.subscriber === subscribers &&
          party.life === 'runs' &&
          party.isConnected &&
          party.next === (this.program.clients[no]?.length ?? 0)
        );
      })
    );
  }

  async take(world: World, step: Step): Promise<Outcome> {
    const faults: string[] = [];
    const next = await this.#take(world, step, faults);
    const settled = {
      ...next,
      parties: next.parties.map((party, no) => this.#tidied(party, this.view(next, no))),
    };
    const judged = judgeParties(this, world, settled);
    return { world: { ...settled, past: judged.past }, faults: [...faults, ...judged.faults] };
  }

  async #take(world: World, step: Step, faults: string[]): Promise<World> {
    const { to } = step;
    const party = world.parties[to] as Party;
    switch (step.kind) {
      case 'op': {
        const turn = this.program.clients[to]?.[party.next] ?? [];
        if (opsOf(turn).some((op) => op.do === 'crash')) return dead(world, to);
        const after = withParty(world, to, { next: party.next + 1 });
        return this.#happen(after, to, `op${party.next}`, { kind: 'op', index: party.next }, faults);
      }
      case 'execute':
        return this.#execute(
          withParty(world, to, { requests: party.requests.slice(1) }),
          to,
          party.requests[0] as number,
          true,
          faults,
        );
      case 'late':
        return this.#execute(
          withParty(world, to, { late: party.late.slice(1) }),
          to,
          party.late[0] as number,
          false,
          faults,
        );
      case 'overtake': {
        const [first, second, ...others] = party.requests as [number, number, ...number[]];
        return this.#execute(
          withParty(spend(world, 'overtake'), to, { requests: [first, ...others] }),
          to,
          second,
          true,
          faults,
        );
      }
      case 'reply': {
        const [{ call, text }, ...replies] = party.replies as [Party['replies'][number]];
        const event: ClientEvent = { kind: 'reply', call: this.call(call).no, value: JSON.parse(text) };
        return this.#happen(withParty(world, to, { replies }), to, `reply${call}${text}`, event, faults);
      }
      case 'message': {
        const [text, ...messages] = party.messages;
        return this.#hear(withParty(world, to, { messages }), to, text, faults);
      }
      case 'double-message':
        return this.#hear(spend(world, 'double-message'), to, party.messages[0], faults);
      case 'subscribe':
        return withParty(world, to, {
          subscriber: this.view(world, to).subscribers,
          messages: [undefined],
        });
      case 'timer':
        return this.#happen(world, to, 'timer', { kind: 'timer' }, faults);
      case 'reconnect': {
        const { unanswered } = this.view(world, to);
        const again = unanswered.map((call) => this.#numberOf(to, call));
        return this.#happen(
          withParty(world, to, { isConnected: true, requests: again }),
          to,
          'connected',
          { kind: 'connected' },
          faults,
        );
      }
      case 'resume':
        return withParty(world, to, { life: 'runs' });
      case 'time':
        return this.#pass(world);
      case 'lose-request':
        return withParty(spend(world, 'lose-request'), to, {
          requests: party.requests.slice(1),
          isHindered: true,
        });
      case 'lose-reply':
        return withParty(spend(world, 'lose-reply'), to, {
          replies: party.replies.slice(1),
          isHindered: true,
        });
      case 'lose-message':
        return withParty(spend(world, 'lose-message'), to, {
          messages: party.messages.filter(
            (text, i) => i !== party.messages.findIndex((one) => one !== undefined) || text === undefined,
          ),
        });
      case 'cut':
      case 'cut-late': {
        const late = step.kind === 'cut-late' ? [...party.late, ...party.requests] : party.late;
        const broken = { isConnected: false, requests: [], replies: [], late, isHindered: true };
        return this.#happen(
          withParty(spend(world, step.kind), to, broken),
          to,
          'disconnected',
          { kind: 'disconnected' },
          faults,
        );
      }
      case 'deafen':
        return withParty(spend(world, 'deafen'), to, { subscriber: party.subscriber - 1, messages: [] });
      case 'crash':
        return dead(spend(world, 'crash'), to);
      case 'pause':
        return withParty(spend(world, 'pause'), to, { life: 'paused', isHindered: true });
      case 'flush':
        // It takes a moment, so that numbers drawn at one and the same moment are not ahead of the server's clock.
        return {
          ...spend(world, 'flush'),
          data: 0,
          nowMs: world.nowMs + 1,
          past: { ...world.past, isFlushed: true },
        };
      case 'delay':
        throw new Error('Delays are spent when time passes.');
    }
  }

  async #happen(world: World, to: number, key: string, event: ClientEvent, faults: string[]): Promise<World> {
    const party = world.parties[to] as Party;
    const states = this.#states[to] as ClientStates;
    const state = await states.next(party.state, key, event, world.nowMs);
    const view = states.view(state);
    faults.push(...view.troubles.map((trouble) => `${'abc'[to]}: ${trouble}`));
    const sent = view.sent.map((call) => this.#numberOf(to, call));
    return withParty(world, to, { state, requests: [...party.requests, ...sent] });
  }

  async #hear(world: World, to: number, text: string | undefined, faults: string[]): Promise<World> {
    const event: ClientEvent = text === undefined ? { kind: 'listening' } : { kind: 'message', text };
    return this.#happen(world, to, `message${text ?? ''}`, event, faults);
  }

  async #execute(
    world: World,
    to: number,
    number: number,
    isHeard: boolean,
    faults: string[],
  ): Promise<World> {
    const executed = await this.server.execute(world.data, `${number}`, this.call(number), world.nowMs);
    faults.push(...executed.faults.map((fault) => `Redis: ${fault}`));
    const past = judgeExecution(this, world, this.call(number), executed, faults);
    let after: World = withParty({ ...world, data: executed.after, past }, to, { wasHeard: true });
    const party = after.parties[to] as Party;
    if (isHeard && party.life !== 'dead') {
      after = withParty(after, to, { replies: [...party.replies, { call: number, text: executed.reply }] });
    }
    return this.#publish(after, executed);
  }

  #publish(world: World, { messages }: Executed): World {
    let after = world;
    for (const { to, text } of messages) {
      const party = after.parties[to];
      if (
        party !== undefined &&
        party.life !== 'dead' &&
        party.subscriber > 0 &&
        party.subscriber === this.view(after, to).subscribers
      ) {
        after = withParty(after, to, { messages: [...party.messages, text] });
      }
    }
    return after;
  }

  #pass(world: World): World {
    let delays = 0;
    const parties = world.parties.map((party, no) => {
      if (party.life !== 'runs') return party;
      const standing = this.#standing(party, this.view(world, no));
      delays += standing.filter((name) => !party.delayed.includes(name)).length;
      const isHindered = party.isHindered || standing.some((name) => name !== 'messages');
      return { ...party, delayed: standing, isHindered };
    });
    return spend({ ...world, parties, nowMs: this.#nextMs(world) }, 'delay', delays);
  }

  /** A channel that is empty is not delayed any more. */
  #tidied(party: Party, view: ClientView): Party {
    if (party.delayed.length === 0) return party;
    const standing = this.#standing(party, view);
    return { ...party, delayed: party.delayed.filter((name) => standing.includes(name)) };
  }

  /** On which channels something is under way. */
  #standing(party: Party, view: ClientView): ChannelName[] {
    return channels.filter((name) =>
      name === 'messages'
        ? party.messages.length > 0 || party.subscriber < view.subscribers
        : party[name].length > 0,
    );
  }

  /** When something can happen by itself: a timer, or what the server counts down. */
  #nextMs(world: World): number {
    const { permits, clients, state } = this.server.keys(world.data);
    const there = [
      ...Object.values(permits),
      ...Object.values(clients),
      state['openAtMs'] ?? 0,
      state['graceUntilMs'] ?? 0,
    ];
    const times = there.map((ms) => ms - Math.floor(epochUs / 1000));
    world.parties.forEach(({ life }, no) => {
      if (life === 'runs') times.push(this.view(world, no).nextTimerMs);
    });
    return Math.min(...times.filter((ms) => ms > world.nowMs));
  }

  #isNextPossible(party: Party, { requests }: ClientView, no: number): boolean {
    const turn = this.program.clients[no]?.[party.next];
    return (
      turn !== undefined &&
      opsOf(turn).every((op) => {
        const known = 'of' in op ? requests[op.of] : undefined;
        return op.do === 'release' || op.do === 'renew' ? known !== undefined && known !== 'pending' : true;
      })
    );
  }

  /** Calls with the same content are the same, whichever history they were sent in. */
  #numberOf(to: number, call: Call): number {
    const content = `${to} ${call.no} ${call.script} ${JSON.stringify(call.args)}`;
    const known = this.#callNumbers.get(content);
    if (known !== undefined) return known;
    const number = this.#calls.push(call) - 1;
    this.#callNumbers.set(content, number);
    return number;
  }
}

function dead(world: World, to: number): World {
  return withParty(world, to, { life: 'dead', replies: [], messages: [], delayed: [] });
}
