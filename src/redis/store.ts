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
  /** The highest ticket, token or epoch that it has seen. */
  readonly seen: number;
  /** The limit if this call is the first to speak of the semaphore. */
  readonly limit: number;
  readonly bounded: boolean;
}

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
  readonly #name: string;
  readonly #allKeys: readonly string[];

  constructor(connection: RedisConnection, name: string, options: StoreOptions) {
    this.#connection = connection;
    this.#name = name;
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
    const args: (string | number)[] = [onLimitMismatch];
    let longestMs = 0;
    for (const request of requests) {
      args.push(request.record, request.weight, request.leaseMs, request.maxWaiting);
      longestMs = Math.max(longestMs, request.leaseMs);
    }
    return this.#call(acquireScript, caller, args, acquireAnswer, longestMs);
  }

  /** Takes records out of permits and line; answers whether each was a held permit of the caller. */
  release(caller: Caller, records: readonly string[]): Promise<Reply<boolean | Revoked>> {
    return this.#call(releaseScript, caller, records, (answer) =>
      String(answer) === 'revoked' ? 'revoked' : Number(answer) === 1,
    );
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
    return this.#call(renewScript, caller, args, expiryAnswer, longestMs, calls);
  }

  /** Says that the caller is alive, and asks what became of the records, waiting or held. */
  beat(caller: Caller, waiting: boolean, records: readonly string[]): Promise<Reply<BeatAnswer>> {
    return this.#call(beatScript, caller, [waiting ? 1 : 0, ...records], beatAnswer);
  }

  /** Sets the limit. */
  resize(caller: Caller, limit: number): Promise<Reply<boolean>> {
    return this.#call(resizeScript, caller, [limit, '', 0], (answer) => Number(answer) === 1);
  }

  /** Adds a unit, once for each marker while it is remembered; answers `false` where a bounded handle exists. */
  gain(caller: Caller, marker: string, memoryMs: number): Promise<Reply<boolean>> {
    return this.#call(resizeScript, caller, [-1, marker, memoryMs], (answer) => Number(answer) === 1);
  }

  /** Takes a record away from whoever has it, and remembers that; answers whether it was held or in line. */
  revoke(caller: Caller, record: string, memoryMs: number): Promise<Reply<boolean>> {
    return this.#call(revokeScript, caller, [record, memoryMs], (answer) => Number(answer) === 1, memoryMs);
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
    return this.#call(restoreScript, caller, args, expiryAnswer, longestMs);
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
    answerOf: (answer: unknown) => Answer,
    longestLeaseMs = 0,
    calls: ScriptCalls = this.#connection,
  ): Promise<Reply<Answer>> {
    const { clientId, presenceMs, retentionMs, prefix } = this.#options;
    const args = [
      caller.epoch,
      caller.seen,
      clientId,
      presenceMs,
      Math.max(retentionMs, longestLeaseMs), // keys must outlive what they hold
      prefix,
      this.#name,
      caller.limit,
      caller.bounded ? 1 : 0,
      ...ownArgs,
    ];
    const reply = (await runScript(calls, script, this.#allKeys, args)) as unknown[];
    switch (reply[0]) {
      case 'ok':
        return {
          kind: 'ok',
          nowMs: Number(reply[1]) / 1000,
          epoch: Number(reply[2]),
          limit: Number(reply[3]),
          grants: grantsOf(clientId, reply[4] as unknown[]),
          answers: (reply[5] as unknown[]).map(answerOf),
          lookAtMs: Number(reply[6]),
          declaredLimit: Number(reply[7]),
        };
      case 'forgotten':
        return { kind: 'forgotten', nowMs: Number(reply[1]) / 1000 };
      case 'mismatch':
        return { kind: 'mismatch', declaredLimit: Number(reply[3]) };
      default:
        throw new Error(`Script ${script.name} answered '${String(reply[0])}', which it never does.`);
    }
  }
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

function acquireAnswer(answer: unknown): AcquireAnswer {
  const [kind, first, second] = answer as [AcquireAnswer['kind'], unknown, unknown];
  switch (kind) {
    case 'granted':
      return { kind, token: Number(first), expiresAtMs: Number(second) };
    case 'queued':
      return { kind, ticket: Number(first) };
    case 'full':
      return { kind, waiting: Number(first) };
    case 'impossible':
      return { kind, limit: Number(first) };
    case 'revoked':
      return { kind };
  }
}

function beatAnswer(answer: unknown): BeatAnswer {
  const [kind, first, second] = answer as [BeatAnswer['kind'], unknown, unknown];
  switch (kind) {
    case 'granted':
      return { kind, token: Number(first), expiresAtMs: Number(second) };
    case 'queued':
      return { kind, ticket: Number(first) };
    case 'unknown':
      return { kind, refusedAtMs: Number(first) };
    case 'revoked':
      return { kind };
  }
}

function expiryAnswer(answer: unknown): number | Revoked {
  return answer === 'revoked' ? answer : Number(answer);
}

function pairs(flat: readonly string[]): [string, number][] {
  const result: [string, number][] = [];
  for (let i = 0; i < flat.length; i += 2) {
    result.push([flat[i] as string, Number(flat[i + 1])]);
  }
  return result;
}
