import { type FaultKind, faultKinds, type Program } from './program.ts';

/** A channel that stood still while time passed, and may do so again. */
export type ChannelName = 'requests' | 'replies' | 'messages';

/** A client and all that is under way between it and Redis. */
export interface Party {
  /** Of the client itself; see `ClientStates`. */
  readonly state: number;
  /** The next thing that its user does. */
  readonly next: number;
  readonly life: 'runs' | 'paused' | 'dead';
  readonly isConnected: boolean;
  /** Numbers of calls that Redis has not executed, in the order of sending. */
  readonly requests: readonly number[];
  /** Copies of calls from a connection that is gone. */
  readonly late: readonly number[];
  /** Numbers of calls, and what Redis has answered. */
  readonly replies: readonly { readonly call: number; readonly text: string }[];
  /** `undefined` says that messages are heard from now on. */
  readonly messages: readonly (string | undefined)[];
  /** Which of its subscribers Redis knows. */
  readonly subscriber: number;
  readonly delayed: readonly ChannelName[];
  /** Redis has executed something for it. */
  readonly wasHeard: boolean;
  /** Something between it and Redis has gone wrong, or it stood still itself. */
  readonly isHindered: boolean;
}

/** Everything there is at one moment. Never changed: each step makes another one. */
export interface World {
  readonly nowMs: number;
  /** Of the data in Redis; see `MemoisedServer`. */
  readonly data: number;
  readonly parties: readonly Party[];
  /** How often each may still go wrong, in the order of `faultKinds`. */
  readonly faultsLeft: readonly number[];
  readonly past: Past;
}

/** What has to be remembered to judge what comes. */
export interface Past {
  /** Requests, as `0:x`, in the order in which they came into the line, as long as they wait. */
  readonly line: readonly string[];
  /** The highest token that anyone has accepted. */
  readonly token: number;
  readonly isFlushed: boolean;
  /** Why, after a loss of data, too much may be held for a while. */
  readonly window: 'none' | 'a stranger came first' | 'a holder was cut off';
}

export function firstWorld(program: Program): World {
  return {
    nowMs: 0,
    data: 0,
    parties: program.clients.map(() => ({
      state: 0,
      next: 0,
      life: 'runs',
      isConnected: true,
      requests: [],
      late: [],
      replies: [],
      messages: [],
      subscriber: 0,
      delayed: [],
      wasHeard: false,
      isHindered: false,
    })),
    faultsLeft: faultKinds.map((kind) => program.faults?.[kind] ?? 0),
    past: { line: [], token: 0, isFlushed: false, window: 'none' },
  };
}

/** What tells one world from another. @param texts numbers for long texts */
export function keyOf(world: World, texts: (text: string) => number): string {
  const { token, line, isFlushed, window } = world.past;
  return `${stateKeyOf(world, texts)}|${world.faultsLeft}|${line}|${token % 1e9}|${isFlushed ? window : ''}`;
}

/** The same without the past and what may still go wrong. */
export function stateKeyOf({ nowMs, data, parties }: World, texts: (text: string) => number): string {
  let key = `${nowMs}|${data}`;
  for (const { state, next, life, isConnected, requests, late, replies, messages, ...rest } of parties) {
    const said = replies.map(({ call, text }) => `${call}=${texts(text)}`);
    const heard = messages.map((text) => (text === undefined ? '' : texts(text)));
    key += `|${state},${next},${life[0]}${isConnected ? '' : 'x'}${rest.isHindered ? 'h' : ''}${rest.wasHeard ? '' : 'n'};${requests};${late};${said};${heard};${rest.subscriber};${rest.delayed}`;
  }
  return key;
}

export function faultsLeftOf(world: World, kind: FaultKind): number {
  return world.faultsLeft[faultKinds.indexOf(kind)] as number;
}

export function withParty(world: World, no: number, changes: Partial<Party>): World {
  const parties = world.parties.map((party, i) => (i === no ? { ...party, ...changes } : party));
  return { ...world, parties };
}

export function spend(world: World, kind: FaultKind, times = 1): World {
  const index = faultKinds.indexOf(kind);
  return { ...world, faultsLeft: world.faultsLeft.map((left, i) => (i === index ? left - times : left)) };
}
