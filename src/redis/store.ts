import type { OnLimitMismatch } from '../options.ts';
import type { RedisConnection, ScriptCalls } from './connection.ts';
import { absentKeyOf, keysOf, readRecord, type SemaphoreKeys } from './keys.ts';
import {
  acquireScript,
  beatScript,
  inspectScript,
  releaseScript,
  renewScript,
  resizeScript,
  restoreScript,
  revokeScript,
} from './lua.generated.ts';
import type { Replied } from './replica-rounds.ts';
import { runScript, type Script } from './script.ts';

/** The most requests that one call may carry. */
export const batchSize = 500;

/** What a call says of its caller. Changes from call to call. */
export interface Caller {
  /** The epoch that the caller knows, 0 for none. */
  readonly epoch: number;
  /** The number of the terms that it knows, 0 for none. Who names it knows the limit in force and the declared one. */
  readonly terms: number;
  /** The highest ticket, token or epoch that it has seen. */
  readonly seen: number;
  /** The limit if this call is the first to speak of the semaphore; else the declared one. */
  readonly limit: number;
  /** The limit in force, as far as it knows. */
  readonly limitInForce: number;
  readonly bounded: boolean;
}

/** A caller that knows nothing of the semaphore. */
export const nobody: Caller = { epoch: 0, terms: 0, seen: 0, limit: 0, limitInForce: 0, bounded: false };

/**
 * What became of a record of the caller's: a hand-off to a waiter. Or, with token 0, that a waiter's weight exceeds the
 * limit, where the expiry is 0 too, or else that the record was revoked then.
 */
export interface Grant {
  readonly record: string;
  readonly token: number;
  readonly expiresAtMs: number;
}

/** In place of an expiry: the permit was taken away. */
export type Revoked = 'revoked';

/** Times are the server's, `limit` is the one in force. */
export type Reply<Answer> =
  | {
      readonly kind: 'ok';
      readonly nowMs: number;
      readonly epoch: number;
      readonly terms: number;
      readonly limit: number;
      readonly declaredLimit: number;
      readonly grants: readonly Grant[];
      readonly answers: readonly Answer[];
      /** When to look again besides the regular beats; 0: no need. */
      readonly lookAtMs: number;
    }
  | { readonly kind: 'forgotten'; readonly nowMs: number }
  | { readonly kind: 'mismatch'; readonly declaredLimit: number };

/** A reply, and how many replicas have acknowledged what the call wrote, in the end. */
export interface Replicated<Answer> {
  readonly acknowledged: Promise<number>;
  readonly reply: Reply<Answer>;
}

export type AcquireAnswer =
  | { readonly kind: 'granted'; readonly token: number; readonly expiresAtMs: number }
  | { readonly kind: 'queued'; readonly ticket: number }
  | { readonly kind: 'full'; readonly waiting: number }
  | { readonly kind: 'impossible'; readonly limit: number }
  | { readonly kind: 'revoked' };

export type BeatAnswer =
  | { readonly kind: 'granted'; readonly token: number; readonly expiresAtMs: number }
  | { readonly kind: 'queued'; readonly ticket: number }
  /** Neither in line nor held; and when, by the server's time, a waiter was last refused for its weight. */
  | { readonly kind: 'unknown'; readonly refusedAtMs: number }
  | { readonly kind: 'revoked' };

export interface AcquireRequest {
  readonly record: string;
  readonly weight: number;
  readonly leaseMs: number;
  /** The longest line it may join: -1 for any, 0 for a try. */
  readonly maxWaiting: number;
}

export interface Renewal {
  readonly record: string;
  readonly leaseMs: number;
}

export interface Restoration {
  /** Whether data was lost, or only the caller's waiters dropped. */
  readonly lost: boolean;
  /** For how long a new epoch stays closed. */
  readonly windowMs: number;
  /** The limit that the caller last heard of. */
  readonly limit: number;
  readonly permits: readonly { readonly record: string; readonly remainingMs: number }[];
  readonly waiters: readonly { readonly record: string; readonly ticket: number }[];
}

/** What Redis says of a semaphore at one moment, expired permits left out. */
export interface RawSnapshot {
  readonly nowMs: number;
  /** By the clock that tickets are drawn from. */
  readonly nowUs: number;
  /** -1 when there is no such semaphore. */
  readonly limit: number;
  readonly held: number;
  readonly holding: number;
  readonly waiting: number;
  /** The ticket of the head of the line; 0 when nobody waits. */
  readonly headTicket: number;
  readonly permits: readonly { readonly record: string; readonly expiresAtMs: number }[];
  readonly waiters: readonly { readonly record: string; readonly ticket: number }[];
}

/** Of whom the calls come, and with which times. */
export interface StoreOptions {
  readonly prefix: string;
  readonly clientId: string;
  readonly presenceMs: number;
  readonly retentionMs: number;
}

/** The scripts of one semaphore as typed calls: arguments in, decoded replies out. */
export class SemaphoreStore {
  readonly #connection: RedisConnection;
  readonly #keys: SemaphoreKeys;
  readonly #options: StoreOptions;
  readonly #quotedName: string;
  readonly #allKeys: readonly string[];

  constructor(connection: RedisConnection, name: string, options: StoreOptions) {
    this.#connection = connection;
    this.#quotedName = JSON.stringify(name);
    this.#options = options;
    this.#keys = keysOf(options.prefix, name);
    const { permits, waiters, clients, state } = this.#keys;
    this.#allKeys = [permits, waiters, clients, state, absentKeyOf(options.prefix, name)];
  }

  /** Takes permits, or places in line; at most `batchSize` at once. */
  acquire(
    caller: Caller,
    onLimitMismatch: OnLimitMismatch | 'settled',
    requests: readonly AcquireRequest[],
  ): Promise<Reply<AcquireAnswer>> {
    const runs = runsOf(requests);
    const longestMs = requests.reduce((longest, { leaseMs }) => Math.max(longest, leaseMs), 0);
    const isSettled = onLimitMismatch === 'settled' && longestMs <= this.#options.retentionMs;
    const [weight = 0, leaseMs = 0, maxWaiting = 0] = runs;
    const args: (string | number)[] = [
      isSettled ? caller.terms : 0,
      runs.length === 4 ? weight * requests.length * (maxWaiting < 0 ? 1 : -1) : 0,
      leaseMs,
    ];
    for (const { record } of requests) {
      args.push(record);
    }
    return this.#call(acquireScript, caller, args, {
      answers: acquireAnswers,
      allDone: (nowUs) =>
        requests.map((_request, i) =>
          nowUs < 0
            ? { kind: 'queued', ticket: i - nowUs }
            : { kind: 'granted', token: nowUs + i, expiresAtMs: Math.floor(nowUs / 1000) + leaseMs },
        ),
      longestMs,
      own: `${onLimitMismatch} ${runs.join(' ')}`,
    });
  }

  /** Takes records out of permits and line; answers whether each was a held permit of the caller. */
  release(caller: Caller, records: readonly string[]): Promise<Reply<boolean | Revoked>> {
    return this.#call(releaseScript, caller, [caller.terms, this.#weightOf(records), ...records], {
      answers: releaseAnswers,
      allDone: () => records.map(() => true),
    });
  }

  /** What the records weigh together; 0 if one is not the caller's own, or is named twice. */
  #weightOf(records: readonly string[]): number {
    const { clientId } = this.#options;
    let sum = 0;
    for (const record of records) {
      const parts = readRecord(record);
      if (parts?.clientId !== clientId) {
        return 0;
      }
      sum += parts.weight;
    }
    return records.length === 1 || new Set(records).size === records.length ? sum : 0;
  }

  /** Answers each record's new expiry, or 0 if it is not held. */
  renew(caller: Caller, renewals: readonly Renewal[]): Promise<Reply<number | Revoked>> {
    return this.#renew(caller, renewals, this.#connection);
  }

  /** As `renew`, and then waits until so many replicas have that and all before it, but no longer than `forMs`. */
  async renewReplicated(
    caller: Caller,
    renewals: readonly Renewal[],
    replicas: number,
    forMs: number,
  ): Promise<Replicated<number | Revoked>> {
    const calls = this.#connection.replicated(replicas, forMs);
    let acknowledged: Promise<number> = Promise.resolve(0);
    const apart = (call: ScriptCalls['eval']): ScriptCalls['eval'] => {
      return async (...args) => {
        const replied = (await call(...args)) as Replied;
        acknowledged = replied.acknowledged;
        return replied.reply;
      };
    };
    const reply = await this.#renew(caller, renewals, {
      evalsha: apart(calls.evalsha),
      eval: apart(calls.eval),
    });
    return { acknowledged, reply };
  }

  #renew(caller: Caller, renewals: readonly Renewal[], calls: ScriptCalls): Promise<Reply<number | Revoked>> {
    const args: (string | number)[] = [];
    let longestMs = 0;
    for (const renewal of renewals) {
      args.push(renewal.record, renewal.leaseMs);
      longestMs = Math.max(longestMs, renewal.leaseMs);
    }
    return this.#call(renewScript, caller, args, { answers: expiries, longestMs, calls });
  }

  /** Says that the caller is alive, and asks what became of the records, waiting or held. */
  beat(caller: Caller, waiting: boolean, records: readonly string[]): Promise<Reply<BeatAnswer>> {
    return this.#call(beatScript, caller, [waiting ? 1 : 0, ...records], { answers: beatAnswers });
  }

  /** Sets the limit. */
  resize(caller: Caller, limit: number): Promise<Reply<boolean>> {
    return this.#call(resizeScript, caller, [limit, '', 0], { answers: yesOrNo });
  }

  /** Adds a unit, once for each marker while it is remembered; answers `false` where a bounded handle exists. */
  gain(caller: Caller, marker: string, memoryMs: number): Promise<Reply<boolean>> {
    return this.#call(resizeScript, caller, [-1, marker, memoryMs], { answers: yesOrNo });
  }

  /** Takes a record away from whoever has it, and remembers that; answers whether it was held or in line. */
  revoke(caller: Caller, record: string, memoryMs: number): Promise<Reply<boolean>> {
    return this.#call(revokeScript, caller, [record, memoryMs], { answers: yesOrNo, longestMs: memoryMs });
  }

  /** Puts the caller's records back; answers each permit's expiry. */
  restore(caller: Caller, what: Restoration): Promise<Reply<number | Revoked>> {
    const args: (string | number)[] = [what.lost ? 1 : 0, what.windowMs, what.limit, what.permits.length];
    let longestMs = 0;
    for (const permit of what.permits) {
      args.push(permit.record, permit.remainingMs);
      longestMs = Math.max(longestMs, permit.remainingMs);
    }
    for (const waiter of what.waiters) {
      args.push(waiter.record, waiter.ticket);
      longestMs = Math.max(longestMs, readRecord(waiter.record)?.leaseMs ?? 0);
    }
    return this.#call(restoreScript, caller, args, { answers: expiries, longestMs });
  }

  /** One consistent look, without joining in. */
  async inspect(first: number, count: number): Promise<RawSnapshot> {
    const { permits, waiters, state } = this.#keys;
    const reply = (await runScript(
      this.#connection,
      inspectScript,
      [permits, waiters, state],
      [first, count, first, count],
    )) as unknown[];
    const [nowMs, limit, , held, holding, waiting] = reply.map(Number) as number[];
    return {
      nowMs: nowMs as number,
      limit: limit as number,
      held: held as number,
      holding: holding as number,
      waiting: waiting as number,
      nowUs: Number(reply[9]),
      headTicket: Number(reply[10]),
      permits: pairs(reply[7] as string[]).map(([record, score]) => ({ record, expiresAtMs: score })),
      waiters: pairs(reply[8] as string[]).map(([record, score]) => ({ record, ticket: score })),
    };
  }

  async #call<Answer>(
    script: Script,
    caller: Caller,
    ownArgs: readonly (string | number)[],
    how: How<Answer>,
  ): Promise<Reply<Answer>> {
    const { clientId } = this.#options;
    const args = [caller.seen, this.#callerText(caller, how), ...ownArgs];
    const reply = await runScript(how.calls ?? this.#connection, script, this.#allKeys, args);
    const [first] = Array.isArray(reply) ? reply : [reply];
    const nowUs = Number(first); // a string on connections that make strings of numbers
    if (!Number.isNaN(nowUs) && how.allDone !== undefined) {
      return {
        kind: 'ok',
        nowMs: Math.abs(nowUs) / 1000,
        epoch: caller.epoch,
        terms: caller.terms,
        limit: caller.limitInForce,
        declaredLimit: caller.limit,
        grants: Array.isArray(reply) ? grantsOf(clientId, reply.slice(1)) : [],
        answers: how.allDone(nowUs),
        lookAtMs: 0,
      };
    }
    const values = reply as unknown[];
    switch (values[0]) {
      case 'ok': {
        const [, nowUs, epoch, limit, declared, terms, lookAtMs, length] = values;
        const firstGrant = 8 + Number(length);
        return {
          kind: 'ok',
          nowMs: Number(nowUs) / 1000,
          epoch: Number(epoch),
          terms: Number(terms),
          limit: Number(limit),
          declaredLimit: Number(declared),
          answers: how.answers(values.slice(8, firstGrant)),
          grants: grantsOf(clientId, values.slice(firstGrant)),
          lookAtMs: Number(lookAtMs),
        };
      }
      case 'forgotten':
        return { kind: 'forgotten', nowMs: Number(values[1]) / 1000 };
      case 'mismatch':
        return { kind: 'mismatch', declaredLimit: Number(values[3]) };
      default:
        throw new Error(`Script ${script.name} answered '${String(values[0])}', which it never does.`);
    }
  }

  /** As `lua/shared/caller.lua` reads it. */
  #callerText(caller: Caller, { longestMs = 0, own = '' }: How<unknown>): string {
    const { clientId, presenceMs, retentionMs, prefix } = this.#options;
    const keptMs = Math.max(retentionMs, longestMs); // keys must outlive what they hold
    const bounded = caller.bounded ? 1 : 0;
    return `${clientId}\n${presenceMs}\n${prefix}\n${this.#quotedName}\n${caller.epoch}\n${keptMs}\n${caller.limit}\n${bounded}\n${own}`;
  }
}

/** What differs between the scripts in how they are called, and in what their replies mean. */
interface How<Answer> {
  /** The answers of a whole reply. */
  answers(flat: readonly unknown[]): Answer[];
  /** The answers where the reply begins with the time, µs: whatever was asked for was done, or below 0, queued. */
  allDone?(nowUs: number): Answer[];
  /** The longest lease or memory that it asks for, ms. */
  readonly longestMs?: number;
  /** What only this script is told with the caller. */
  readonly own?: string;
  readonly calls?: ScriptCalls;
}

/** Runs of like requests: weight, lease, longest line, how many; … */
function runsOf(requests: readonly AcquireRequest[]): number[] {
  const runs: number[] = [];
  let last: AcquireRequest | undefined;
  for (const request of requests) {
    const { weight, leaseMs, maxWaiting } = request;
    if (last?.weight === weight && last.leaseMs === leaseMs && last.maxWaiting === maxWaiting) {
      runs[runs.length - 1] = (runs.at(-1) as number) + 1;
    } else {
      runs.push(weight, leaseMs, maxWaiting, 1);
      last = request;
    }
  }
  return runs;
}

/** The flat list `[record without client id, token, expiry, …]` that replies and messages carry. */
export function grantsOf(clientId: string, flat: readonly unknown[]): Grant[] {
  const grants: Grant[] = [];
  for (let i = 0; i < flat.length; i += 3) {
    grants.push({
      record: `${clientId}/${flat[i]}`,
      token: Number(flat[i + 1]),
      expiresAtMs: Number(flat[i + 2]),
    });
  }
  return grants;
}

function acquireAnswers(flat: readonly unknown[]): AcquireAnswer[] {
  return triples(flat, (kind: AcquireAnswer['kind'], first, second) => {
    switch (kind) {
      case 'granted':
        return { kind, token: first, expiresAtMs: second };
      case 'queued':
        return { kind, ticket: first };
      case 'full':
        return { kind, waiting: first };
      case 'impossible':
        return { kind, limit: first };
      case 'revoked':
        return { kind };
    }
  });
}

function beatAnswers(flat: readonly unknown[]): BeatAnswer[] {
  return triples(flat, (kind: BeatAnswer['kind'], first, second) => {
    switch (kind) {
      case 'granted':
        return { kind, token: first, expiresAtMs: second };
      case 'queued':
        return { kind, ticket: first };
      case 'unknown':
        return { kind, refusedAtMs: first };
      case 'revoked':
        return { kind };
    }
  });
}

function triples<Kind, Answer>(
  flat: readonly unknown[],
  read: (kind: Kind, first: number, second: number) => Answer,
): Answer[] {
  const answers: Answer[] = [];
  for (let i = 0; i < flat.length; i += 3) {
    answers.push(read(flat[i] as Kind, Number(flat[i + 1]), Number(flat[i + 2])));
  }
  return answers;
}

function expiries(flat: readonly unknown[]): (number | Revoked)[] {
  return flat.map((answer) => (answer === 'revoked' ? answer : Number(answer)));
}

function releaseAnswers(flat: readonly unknown[]): (boolean | Revoked)[] {
  return flat.map((answer) => (String(answer) === 'revoked' ? 'revoked' : Number(answer) === 1));
}

function yesOrNo(flat: readonly unknown[]): boolean[] {
  return flat.map((answer) => Number(answer) === 1);
}

function pairs(flat: readonly string[]): [string, number][] {
  const result: [string, number][] = [];
  for (let i = 0; i < flat.length; i += 2) {
    result.push([flat[i] as string, Number(flat[i + 1])]);
  }
  return result;
}
