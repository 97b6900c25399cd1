/** One thing that a client's user does. `as` and `of` name a request of that client. */
export type Op =
  | {
      readonly do: 'acquire';
      readonly as: string;
      readonly weight?: number;
      readonly leaseMs?: number;
      readonly timeoutMs?: number;
      /** Default `true`. */
      readonly renew?: boolean;
    }
  | { readonly do: 'try'; readonly as: string; readonly weight?: number }
  | { readonly do: 'abort'; readonly of: string }
  | { readonly do: 'release'; readonly of: string }
  | { readonly do: 'renew'; readonly of: string; readonly leaseMs: number }
  | { readonly do: 'resize'; readonly limit: number }
  | { readonly do: 'gain' }
  /** The process ends without a word. */
  | { readonly do: 'crash' };

/** What one user does, in this order: each may start as soon as the one before it has; an array is done in one turn. */
export type Script = readonly (Op | readonly Op[])[];

/** What can go wrong, each at most as often as a program allows. */
export const faultKinds = [
  /** A channel stands still while time passes, until something moves on it again: requests, replies, or messages. */
  'delay',
  /** A request never reaches Redis. */
  'lose-request',
  /** A script is executed, and its reply is lost. */
  'lose-reply',
  /** A message is lost. */
  'lose-message',
  /** A message comes twice. */
  'double-message',
  /** A request is executed ahead of an earlier one of the same client, as after a NOSCRIPT. */
  'overtake',
  /** The connection breaks: what was not executed is lost with it; all that is unanswered is sent again when it is back. */
  'cut',
  /** The same, but what was not executed is executed later, as old copies. */
  'cut-late',
  /** The subscriber's connection breaks. */
  'deafen',
  /** The process ends without a word, wherever it stands. */
  'crash',
  /** The event loop stands still while time passes. */
  'pause',
  /** FLUSHALL. */
  'flush',
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** A small world to explore: who does what, how often what may go wrong, and until when. */
export interface Program {
  readonly name: string;
  /** What it is about, in a sentence. */
  readonly about: string;
  readonly limit: number;
  /** By client: the first is `a`. At most three. */
  readonly clients: readonly Script[];
  readonly faults?: Partial<Readonly<Record<FaultKind, number>>>;
  /** Virtual ms after which nothing goes wrong any more and everything must come to its end. */
  readonly horizonMs: number;
}

/** The times of all programs, ms. Short against each other in the proportions of the defaults. */
export const presenceMs = 3_000;
export const leaseMs = 3_000;
export const attemptTimeoutMs = 700;
export const unavailableAfterMs = 2_500;
export const retentionMs = 86_400_000;
export const semaphoreName = 'spots';

/** The server's time at virtual 0, µs: not a whole millisecond, as no real time is. */
export const epochUs = 1_900_000_000_000_617;

export const clientNames = ['a', 'b', 'c'] as const;

export function opsOf(turn: Op | readonly Op[]): readonly Op[] {
  return 'do' in turn ? [turn] : turn;
}

/** In a few words. */
export function describeOp(op: Op): string {
  switch (op.do) {
    case 'acquire': {
      const terms = [
        op.weight !== undefined && `weight ${op.weight}`,
        op.leaseMs !== undefined && `lease ${op.leaseMs} ms`,
        op.timeoutMs !== undefined && `time-out ${op.timeoutMs} ms`,
        op.renew === false && 'not renewed',
      ].filter((term) => term !== false);
      return `acquires ${op.as}${terms.length > 0 ? ` (${terms.join(', ')})` : ''}`;
    }
    case 'try':
      return `tries to acquire ${op.as}${op.weight === undefined ? '' : ` (weight ${op.weight})`}`;
    case 'abort':
      return `aborts ${op.of}`;
    case 'release':
      return `releases ${op.of}`;
    case 'renew':
      return `renews ${op.of} for ${op.leaseMs} ms`;
    case 'resize':
      return `sets the limit to ${op.limit}`;
    case 'gain':
      return 'adds a unit';
    case 'crash':
      return 'ends without a word';
  }
}
