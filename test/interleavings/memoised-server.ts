import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { keysOf } from '../../src/redis/keys.ts';
import { type AcquireRequest, type Caller, type Reply, SemaphoreStore } from '../../src/redis/store.ts';
import { type AnyAnswer, faultsOf, type Keys, type Step } from '../lua/invariants.ts';
import { readCallerText } from '../support/caller-text.ts';
import { packState, unpackState } from '../support/state.ts';
import { composeWithTestClock } from '../support/test-clock.ts';
import { clientNames, epochUs, presenceMs, retentionMs, semaphoreName } from './program.ts';
import type { Call } from './simulated-client.ts';

/** What one script did to one state of the data. */
export interface Executed {
  readonly after: number;
  /** The raw reply, as text. */
  readonly reply: string;
  readonly messages: readonly { readonly to: number; readonly text: string }[];
  /** What is wrong with it, in sentences. */
  readonly faults: readonly string[];
}

/**
 * The real scripts on a real server. What a script does is a function of the keys, its arguments and the time; so each
 * combination is executed once, on keys that were written for it, and remembered. States of the data are numbers; 0 is
 * none.
 */
export class MemoisedServer {
  readonly prefix: string;
  readonly #redis: Redis;
  readonly #states: Keys[] = [noKeys];
  readonly #numbers = new Map<string, number>([[contentOf(noKeys), 0]]);
  readonly #executed = new Map<string, Executed>();
  readonly #scripts = new Map<string, { readonly text: string; sha?: string }>();
  #runs = 0;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.prefix = prefix;
  }

  /** How many states of the data there were, and how often a script was really run. */
  get counts(): { states: number; runs: number } {
    return { states: this.#states.length, runs: this.#runs };
  }

  keys(state: number): Keys {
    return this.#states[state] as Keys;
  }

  execute(state: number, callKey: string, call: Call, nowMs: number): Executed | Promise<Executed> {
    const key = `${state} ${callKey} ${nowMs}`;
    return this.#executed.get(key) ?? this.#run(key, state, call, nowMs);
  }

  async #run(key: string, state: number, { script, args }: Call, nowMs: number): Promise<Executed> {
    this.#runs++;
    const before = this.keys(state);
    const ttlMs = leastTtlMs(before, Math.floor((epochUs + nowMs * 1000) / 1000));
    const names = keysOf(this.prefix, semaphoreName);
    const all = [names.permits, names.waiters, names.clients, names.state];
    const sent = `${this.prefix}:sent`;
    const sha = await this.#shaOf(script);
    const pipeline = this.#redis.pipeline().del(...all, sent);
    const sets = [
      [names.permits, before.permits],
      [names.waiters, before.tickets],
      [names.clients, before.clients],
    ] as const;
    for (const [name, scores] of sets) {
      const members = Object.entries(scores).flatMap(([member, score]) => [score, member]);
      if (members.length > 0) pipeline.zadd(name, ...members).pexpire(name, ttlMs);
    }
    if (Object.keys(before.state).length > 0) {
      pipeline.hset(names.state, packState(before.state)).pexpire(names.state, ttlMs);
    }
    const prepared = pipeline.length;
    pipeline
      .evalsha(sha, 6, ...all, sent, `${this.prefix}:now:${epochUs + nowMs * 1000}`, ...args)
      .lrange(sent, 0, -1)
      .zrange(names.permits, '0', '-1', 'WITHSCORES')
      .zrange(names.waiters, '0', '-1', 'WITHSCORES')
      .zrange(names.clients, '0', '-1', 'WITHSCORES')
      .hgetallBuffer(names.state);
    for (const name of all) pipeline.pttl(name);
    pipeline.del(...all, sent);
    const replies = ((await pipeline.exec()) ?? []).map(([error, value]) => {
      if (error !== null) throw error;
      return value;
    });
    const [raw, published, permits, waiters, clients, hash, ...ttls] = replies.slice(prepared);
    const tickets = scoresOf(waiters as string[]);
    const after: Keys = {
      permits: scoresOf(permits as string[]),
      waiters: Object.keys(tickets),
      tickets,
      clients: scoresOf(clients as string[]),
      state: unpackState(hash as Record<string, Buffer>),
      ttlMs: {
        permits: Number(ttls[0]),
        waiters: Number(ttls[1]),
        clients: Number(ttls[2]),
        state: Number(ttls[3]),
      },
    };
    const caller = callerOf(args, before);
    const executed: Executed = {
      after: this.#numberOf(after),
      reply: JSON.stringify(raw),
      messages: pairs(published as string[]).map(([channel, text]) => ({
        to: clientNames.findIndex((id) => channel === `${this.prefix}:${id}`),
        text,
      })),
      faults: faultsOf({
        script: script as Step['script'],
        caller,
        before,
        after,
        nowMs: Math.floor((epochUs + nowMs * 1000) / 1000),
        unfinished: false,
        reply: await decoded(script as Step['script'], caller, args, raw),
      }),
    };
    this.#executed.set(key, executed);
    return executed;
  }

  #numberOf(keys: Keys): number {
    const content = contentOf(keys);
    const known = this.#numbers.get(content);
    if (known !== undefined) return known;
    const number = this.#states.push(keys) - 1;
    this.#numbers.set(content, number);
    return number;
  }

  async #shaOf(name: string): Promise<string> {
    const script = this.#scripts.get(name) ?? { text: composeWithOutbox(name) };
    this.#scripts.set(name, script);
    script.sha ??= (await this.#redis.script('LOAD', script.text)) as string;
    return script.sha;
  }
}

/**
 * The script on the test's clock, with one change more: what it publishes is put into a list, the last key but one, so
 * that the messages of each execution are known, and come when the test says so. As if somebody heard every channel.
 */
export function composeWithOutbox(name: string): string {
  const publish = 'redis.pcall(command, channel, message)';
  const parts = composeWithTestClock(name).split(publish);
  if (parts.length > 2 || (parts.length === 1 && name !== 'inspect')) {
    throw new Error(`Script ${name} should publish in exactly one place.`);
  }
  return parts.join("redis.call('RPUSH', KEYS[#KEYS - 1], channel, message)");
}

const noKeys: Keys = {
  permits: {},
  waiters: [],
  tickets: {},
  clients: {},
  state: {},
  ttlMs: { permits: -2, waiters: -2, clients: -2, state: -2 },
};

/** The least that a key may have left when all got their TTL at `freshAtMs`: those that were made since have more. */
function leastTtlMs({ state }: Keys, nowMs: number): number {
  return Math.ceil((retentionMs * 9) / 8) - (nowMs - (state['freshAtMs'] ?? nowMs));
}

function contentOf({ permits, tickets, clients, state }: Keys): string {
  const fields = Object.entries(state).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha1')
    .update(JSON.stringify([permits, tickets, clients, fields]))
    .digest('base64');
}

/** The reply as the client's store reads it. */
async function decoded(
  script: Step['script'],
  caller: Caller,
  args: readonly unknown[],
  raw: unknown,
): Promise<Reply<AnyAnswer>> {
  const { clientId } = readCallerText(args[1]);
  const connection = { evalsha: () => Promise.resolve(raw) } as never;
  const store = new SemaphoreStore(connection, semaphoreName, {
    prefix: '',
    clientId,
    presenceMs,
    retentionMs,
  });
  switch (script) {
    case 'acquire':
      return store.acquire(caller, 'settled', requestsOf(args));
    case 'release':
      return store.release(caller, args.slice(4).map(String));
    case 'renew':
      return store.renew(caller, []);
    case 'beat':
      return store.beat(caller, false, []);
    case 'resize':
      return store.resize(caller, 0);
    case 'restore':
      return store.restore(caller, { lost: true, windowMs: 0, limit: 0, permits: [], waiters: [] });
    default:
      throw new Error(`No client sends ${script} here.`);
  }
}

/** Who sent these arguments, as it saw itself. */
function callerOf(args: readonly unknown[], { state }: Keys): Caller {
  const { epoch, limit, bounded } = readCallerText(args[1]);
  const [seen, , terms] = args.map(Number) as [number, number, number];
  return { epoch, terms, seen, limit, limitInForce: state['limit'] ?? limit, bounded };
}

/** The requests that an acquire with these arguments makes. */
function requestsOf(args: readonly unknown[]): AcquireRequest[] {
  const [, ...runs] = readCallerText(args[1]).own.split(' ').map(Number);
  const requests: AcquireRequest[] = [];
  for (let i = 0; i < runs.length; i += 4) {
    const [weight, leaseMs, maxWaiting, count] = runs.slice(i) as [number, number, number, number];
    for (let left = count; left > 0; left--) {
      requests.push({ record: String(args[5 + requests.length]), weight, leaseMs, maxWaiting });
    }
  }
  return requests;
}

function pairs(flat: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) {
    result.push([flat[i] as string, flat[i + 1] as string]);
  }
  return result;
}

function scoresOf(flat: readonly string[]): Record<string, number> {
  return Object.fromEntries(pairs(flat).map(([member, score]) => [member, Number(score)]));
}
