import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { PermitLostError } from './errors.ts';

/**
 * What happens in this process, told on channels of `node:diagnostics_channel` while somebody listens, and made only
 * then. Each listener is called where it happens, in the middle of parkade's own work: it should be quick. What it throws
 * does not reach parkade; Node reports it as an uncaught exception.
 */
export interface ParkadeFacts {
  /** A permit was asked for. Told in the call itself, so in the caller's async context; the others are not. */
  'parkade:acquire:start': { readonly request: RequestFact };
  /** It got a place in line. Not told of requests that are granted or refused at once. */
  'parkade:acquire:queued': { readonly request: RequestFact; readonly limit: number };
  /** It was granted, after `waitMs`. */
  'parkade:acquire:granted': {
    readonly request: RequestFact;
    readonly permit: PermitFact;
    readonly waitMs: number;
    /** The limit in force, as far as this client has heard. */
    readonly limit: number;
  };
  /** It ended without a permit. `error` is what the caller gets, or a `QueueFullError` where the outcome is `busy`. */
  'parkade:acquire:failed': {
    readonly request: RequestFact;
    readonly waitMs: number;
    readonly outcome: AcquireFailure;
    readonly error: unknown;
  };
  /** The lease was renewed and can be relied on for `expiresInMs` from now. */
  'parkade:permit:renewed': { readonly permit: PermitFact; readonly expiresInMs: number };
  /** A renewal could not be made; the lease runs on, and it is tried again while there is time. */
  'parkade:permit:renewal-failed': { readonly permit: PermitFact; readonly error: unknown };
  /** The holder gave the permit back, after `holdMs`. Redis hears of it next. */
  'parkade:permit:released': { readonly permit: PermitFact; readonly holdMs: number };
  /** The permit ended before it was released: its lease ran out, or it was revoked (`error.revoked`). */
  'parkade:permit:lost': {
    readonly permit: PermitFact;
    readonly holdMs: number;
    readonly error: PermitLostError;
  };
  /** The client was closed with `release: false`: the permit ends with its lease, and nobody here holds it any more. */
  'parkade:permit:left': { readonly permit: PermitFact; readonly holdMs: number };
  /** Redis had lost a semaphore's data, and this client has put back what it holds and waits for. */
  'parkade:semaphore:restored': {
    readonly semaphore: string;
    readonly client: string;
    readonly permits: number;
    readonly waiters: number;
  };
}

/** One call of `acquire`, `tryAcquire`, `run`, or of `map` for one item: the same object in all that is told of it. */
export interface RequestFact {
  readonly semaphore: string;
  /** The id of the client. */
  readonly client: string;
  readonly weight: number;
  /** 0 for an attempt that does not wait; `undefined` when it waits as long as it takes. */
  readonly timeoutMs: number | undefined;
}

/** One permit: the same object in all that is told of it. */
export interface PermitFact {
  readonly semaphore: string;
  /** The id of the client that holds it. */
  readonly client: string;
  /** The permit's id. */
  readonly id: string;
  readonly weight: number;
  readonly fencingToken: number;
}

/** Why a request ended without a permit: few and fixed, so that they can be an attribute of a metric. */
export type AcquireFailure =
  /** `timeoutMs` passed. */
  | 'timeout'
  /** An attempt that does not wait (`tryAcquire`, or `timeoutMs: 0`) found none free. */
  | 'busy'
  /** The caller's signal aborted. */
  | 'aborted'
  /** An operator took it out of the line. */
  | 'revoked'
  | 'queue_full'
  | 'weight_exceeds_limit'
  | 'not_replicated'
  | 'limit_mismatch'
  | 'client_closed'
  | 'redis_unavailable'
  | 'redis_refused'
  | 'unsupported_server'
  | 'other';

type FactName = keyof ParkadeFacts;

/** A channel, with the type of its messages. */
interface FactChannel<Fact> {
  readonly hasSubscribers: boolean;
  publish(fact: Fact): void;
}

const fact = <Name extends FactName>(name: Name) => channel(name) as FactChannel<ParkadeFacts[Name]>;

/** The channels by name. */
export const facts: { readonly [Name in FactName]: FactChannel<ParkadeFacts[Name]> } = {
  'parkade:acquire:start': fact('parkade:acquire:start'),
  'parkade:acquire:queued': fact('parkade:acquire:queued'),
  'parkade:acquire:granted': fact('parkade:acquire:granted'),
  'parkade:acquire:failed': fact('parkade:acquire:failed'),
  'parkade:permit:renewed': fact('parkade:permit:renewed'),
  'parkade:permit:renewal-failed': fact('parkade:permit:renewal-failed'),
  'parkade:permit:released': fact('parkade:permit:released'),
  'parkade:permit:lost': fact('parkade:permit:lost'),
  'parkade:permit:left': fact('parkade:permit:left'),
  'parkade:semaphore:restored': fact('parkade:semaphore:restored'),
};

/**
 * Listens to what happens in this process, as `diagnostics_channel.subscribe` does, with types.
 *
 * @returns the way to stop
 *
 * @example
 * ```ts
 * import { onFact } from 'parkade';
 *
 * onFact('parkade:permit:lost', ({ permit, holdMs }) => {
 *   console.warn(`${permit.id} of ${permit.semaphore} was lost after ${holdMs} ms`);
 * });
 * ```
 */
export function onFact<Name extends FactName>(
  name: Name,
  listener: (fact: ParkadeFacts[Name]) => void,
): () => void {
  const heard = (message: unknown) => listener(message as ParkadeFacts[Name]);
  subscribe(name, heard);
  return () => {
    unsubscribe(name, heard);
  };
}
