import { Redis } from 'ioredis';
import { afterAll, expect, onTestFinished } from 'vitest';
import type { OnLimitMismatch } from '../../src/options.ts';
import type { RedisConnection } from '../../src/redis/connection.ts';
import { channelOf, keysOf, type SemaphoreKeys, writeRecord } from '../../src/redis/keys.ts';
import {
  type AcquireAnswer,
  type AcquireRequest,
  type Caller,
  grantsOf,
  type RawSnapshot,
  type Renewal,
  type Reply,
  type Restoration,
  SemaphoreStore,
} from '../../src/redis/store.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { packState, unpackState } from '../support/state.ts';
import { TestClock, testClockConnection } from '../support/test-clock.ts';
import { type AnyAnswer, faultsOf, type Keys, type Step } from './invariants.ts';

/*
 * A scene is one semaphore with several clients, on a clock in the test's hand. Each script that a client sends is
 * followed by a look at all keys: what must hold after every script (`invariants.ts`) is checked there, so that a test
 * says only what is special about it.
 */

export type Ok<Answer> = Reply<Answer> & { kind: 'ok' };

/** What became of one request. */
export type Taken = AcquireAnswer & { readonly request: AcquireRequest; readonly record: string };

export interface SceneOptions {
  limit?: number;
  presenceMs?: number;
  retentionMs?: number;
  name?: string;
  /** Of another server than the shared one. */
  redis?: Redis;
}

const lines = new Map<string, Redis>();

/** One connection a file to the shared server. */
function sharedRedis(): Redis {
  const redis = lines.get('shared') ?? new Redis(redisUrl());
  lines.set('shared', redis);
  return redis;
}

afterAll(async () => {
  for (const redis of lines.values()) await redis.quit();
  lines.clear();
});

/** A semaphore of its own; its keys are deleted when the test ends. */
export function openScene(options: SceneOptions = {}): Scene {
  const scene = new Scene(options);
  onTestFinished(async () => {
    await scene.connection.close();
    await scene.lose();
  });
  return scene;
}

type Snapshot = ReadonlyMap<string, Buffer | undefined>;

export class Scene {
  readonly prefix = uniquePrefix();
  readonly clock = new TestClock();
  readonly redis: Redis;
  readonly connection: RedisConnection;
  readonly name: string;
  readonly limit: number;
  readonly presenceMs: number;
  readonly retentionMs: number;
  readonly names: SemaphoreKeys;
  /** Set while more is to be reaped or handed off than one call may: room may be left, the next call continues. */
  unfinished = false;

  constructor({
    limit = 1,
    presenceMs = 10_000,
    retentionMs = 86_400_000,
    name = 'spots',
    redis,
  }: SceneOptions) {
    this.redis = redis ?? sharedRedis();
    this.connection = testClockConnection(this.redis, this.clock);
    this.name = name;
    this.limit = limit;
    this.presenceMs = presenceMs;
    this.retentionMs = retentionMs;
    this.names = keysOf(this.prefix, name);
  }

  get nowMs(): number {
    return this.clock.nowMs;
  }

  client(id: string, options: ClientOptions = {}): Client {
    return new Client(this, id, options);
  }

  /** Time passes, and nobody says anything. */
  advance(ms: number): void {
    this.clock.advance(ms);
  }

  /** Time passes, with a beat of this client in every third of the presence time, and one at the end. */
  async advanceWithBeats(ms: number, client: Client, waiting = false): Promise<void> {
    for (let left = ms; left > 0; left -= this.presenceMs / 3) {
      this.advance(Math.min(left, this.presenceMs / 3));
      await client.beat([], waiting);
    }
  }

  /** Time passes with scripts that judge the line only if there is room, unlike beats. */
  async advanceWithReleases(ms: number, client: Client): Promise<void> {
    for (let left = ms; left > 0; left -= this.presenceMs / 3) {
      this.advance(Math.min(left, this.presenceMs / 3));
      await client.release();
    }
  }

  /** Deletes these keys, or all four, as an eviction or FLUSHALL would. */
  async lose(...which: (keyof SemaphoreKeys)[]): Promise<void> {
    const lost = which.length > 0 ? which.map((one) => this.names[one]) : Object.values(this.names);
    await this.redis.del(...lost);
  }

  /** The data as it is now, for `rollBack`. */
  async snapshot(): Promise<Snapshot> {
    const names = Object.values(this.names);
    const copies = await Promise.all(names.map((name) => this.redis.dumpBuffer(name)));
    return new Map(names.map((name, i) => [name, copies[i] ?? undefined]));
  }

  /** Makes the data what it was, as a failover to a stale replica does. */
  async rollBack(snapshot: Snapshot): Promise<void> {
    await this.lose();
    for (const [name, copy] of snapshot) {
      if (copy !== undefined) await this.redis.restore(name, this.retentionMs, copy);
    }
  }

  /** All there is of the semaphore in Redis. No transaction: a server that is out of memory would refuse it. */
  async keys(): Promise<Keys> {
    const { permits, waiters, clients, state } = this.names;
    const replies = await this.redis
      .pipeline()
      .zrange(permits, '0', '-1', 'WITHSCORES')
      .zrange(waiters, '0', '-1', 'WITHSCORES')
      .zrange(clients, '0', '-1', 'WITHSCORES')
      .hgetallBuffer(state)
      .pttl(permits)
      .pttl(waiters)
      .pttl(clients)
      .pttl(state)
      .exec();
    const values = (replies ?? []).map(([error, value]) => {
      if (error !== null) throw error;
      return value;
    });
    const tickets = scores(values[1]);
    return {
      permits: scores(values[0]),
      waiters: Object.keys(tickets),
      tickets,
      clients: scores(values[2]),
      state: unpackState(values[3] as Record<string, Buffer>),
      ttlMs: {
        permits: Number(values[4]),
        waiters: Number(values[5]),
        clients: Number(values[6]),
        state: Number(values[7]),
      },
    };
  }

  /** Makes the numbers of the semaphore others, as no script would. */
  async changeState(change: (numbers: Keys['state']) => Keys['state']): Promise<void> {
    const { state } = await this.keys();
    await this.redis.hset(this.names.state, packState({ ...state, ...change(state) }));
  }

  /** Passes if the keys are exactly so: what is left out is empty, or, in the state, does not matter. */
  async expectKeys(
    expected: Partial<Pick<Keys, 'permits' | 'waiters' | 'clients' | 'state'>>,
  ): Promise<void> {
    const { permits, waiters, clients, state } = await this.keys();
    const named = Object.keys(expected.state ?? {});
    expect({
      permits,
      waiters,
      clients,
      state: Object.fromEntries(named.map((field) => [field, state[field]])),
    }).toEqual({ permits: {}, waiters: [], clients: {}, state: {}, ...expected });
  }

  /** What is published for this client from now on. */
  async listen(client: Client): Promise<Inbox> {
    const subscriber = this.redis.duplicate();
    onTestFinished(() => subscriber.disconnect());
    const channel = channelOf(this.prefix, client.id);
    await subscriber.subscribe(channel);
    const texts: string[] = [];
    subscriber.on('message', (_channel, text: string) => texts.push(text));
    return {
      read: async () => {
        // Messages of one channel come in order: when this one is here, all before it are.
        const end = `end ${crypto.randomUUID()}`;
        await this.redis.publish(channel, end);
        await expect.poll(() => texts.includes(end), { interval: 1, timeout: 10_000 }).toBe(true);
        return texts
          .splice(0, texts.indexOf(end) + 1)
          .slice(0, -1)
          .map((text) => decode(client.id, text));
      },
    };
  }

  /** One script, between two looks at the keys. */
  async step<Answer extends AnyAnswer>(
    script: Step['script'],
    caller: Caller,
    send: () => Promise<Reply<Answer>>,
  ): Promise<Reply<Answer>> {
    const before = await this.keys();
    const reply = await send().catch((error) => error as Error);
    const after = await this.keys();
    const { nowMs, unfinished } = this;
    expect(faultsOf({ script, caller, before, after, nowMs, unfinished, reply })).toEqual([]);
    if (reply instanceof Error) throw reply;
    return reply;
  }
}

export interface ClientOptions {
  limit?: number;
  bounded?: boolean;
  presenceMs?: number;
  retentionMs?: number;
}

export interface RequestOptions {
  weight?: number;
  leaseMs?: number;
  /** The lease of a hand-off, if it is another. */
  handOffLeaseMs?: number;
  /** Nobody renews the permit. */
  firm?: boolean;
  maxWaiting?: number;
}

/** One client of a scene: knows what the replies told it, and says so in the next call. */
export class Client {
  readonly id: string;
  readonly scene: Scene;
  readonly store: SemaphoreStore;
  /** Every script as it is sent; whatever it answers. */
  readonly raw = this.#calls();
  epoch = 0;
  terms = 0;
  seen = 0;
  limit: number;
  limitInForce: number;
  bounded: boolean;
  #requestNo = 0;

  constructor(scene: Scene, id: string, options: ClientOptions) {
    this.scene = scene;
    this.id = id;
    this.limit = options.limit ?? scene.limit;
    this.limitInForce = this.limit;
    this.bounded = options.bounded ?? false;
    this.store = new SemaphoreStore(scene.connection, scene.name, {
      prefix: scene.prefix,
      clientId: id,
      presenceMs: options.presenceMs ?? scene.presenceMs,
      retentionMs: options.retentionMs ?? scene.retentionMs,
    });
  }

  caller(): Caller {
    const { epoch, terms, seen, limit, limitInForce, bounded } = this;
    return { epoch, terms, seen, limit, limitInForce, bounded };
  }

  /** A request that was never made before. */
  request(options: RequestOptions = {}): AcquireRequest {
    const { weight = 1, leaseMs = 30_000, handOffLeaseMs = leaseMs, firm = false, maxWaiting = -1 } = options;
    const requestNo = ++this.#requestNo;
    const record = writeRecord({ clientId: this.id, requestNo, weight, leaseMs: handOffLeaseMs, firm });
    return { record, weight, leaseMs, maxWaiting };
  }

  requests(count: number, options?: RequestOptions): AcquireRequest[] {
    return Array.from({ length: count }, () => this.request(options));
  }

  /** Makes one new request. */
  async take(options?: RequestOptions): Promise<Taken> {
    const request = this.request(options);
    const answer = (await this.acquire([request])).answers[0] as AcquireAnswer;
    return { ...answer, request, record: request.record };
  }

  /** Makes one new request, which is granted. */
  async hold(options?: RequestOptions): Promise<Taken & { kind: 'granted' }> {
    const taken = await this.take(options);
    return expectKind(taken, 'granted');
  }

  /** Makes one new request, which gets a place in line. */
  async queue(options?: RequestOptions): Promise<Taken & { kind: 'queued' }> {
    const taken = await this.take(options);
    return expectKind(taken, 'queued');
  }

  /** Makes one new request that never waits. */
  attempt(options?: RequestOptions): Promise<Taken> {
    return this.take({ maxWaiting: 0, ...options });
  }

  async acquire(requests: readonly AcquireRequest[], onLimitMismatch?: OnLimitMismatch | 'settled') {
    return ok(await this.raw.acquire(requests, onLimitMismatch));
  }

  async release(...records: string[]) {
    return ok(await this.raw.release(records));
  }

  async renew(record: string, leaseMs = 30_000) {
    return ok(await this.raw.renew([{ record, leaseMs }]));
  }

  async beat(records: readonly string[] = [], waiting = records.length > 0) {
    return ok(await this.raw.beat(waiting, records));
  }

  async resize(limit: number) {
    return ok(await this.raw.resize(limit));
  }

  async gain(marker: string, memoryMs = 600_000) {
    return ok(await this.raw.gain(marker, memoryMs));
  }

  async revoke(record: string, memoryMs = 600_000) {
    return ok(await this.raw.revoke(record, memoryMs));
  }

  async restore(what?: Partial<Restoration>) {
    return ok(await this.raw.restore(what));
  }

  inspect(first = 0, count = 100): Promise<RawSnapshot> {
    return this.store.inspect(first, count);
  }

  #calls() {
    return {
      acquire: (requests: readonly AcquireRequest[], mismatch: OnLimitMismatch | 'settled' = 'error') =>
        this.#step('acquire', (caller) => this.store.acquire(caller, mismatch, requests)),
      release: (records: readonly string[]) =>
        this.#step('release', (caller) => this.store.release(caller, records)),
      renew: (renewals: readonly Renewal[]) =>
        this.#step('renew', (caller) => this.store.renew(caller, renewals)),
      beat: (waiting: boolean, records: readonly string[]) =>
        this.#step('beat', (caller) => this.store.beat(caller, waiting, records)),
      resize: (limit: number) => this.#step('resize', (caller) => this.store.resize(caller, limit)),
      gain: (marker: string, memoryMs: number) =>
        this.#step('resize', (caller) => this.store.gain(caller, marker, memoryMs)),
      revoke: (record: string, memoryMs: number) =>
        this.#step('revoke', (caller) => this.store.revoke(caller, record, memoryMs)),
      restore: ({
        lost = true,
        windowMs = 5_000,
        limit,
        permits = [],
        waiters = [],
      }: Partial<Restoration> = {}) =>
        this.#step('restore', (caller) =>
          this.store.restore(caller, { lost, windowMs, limit: limit ?? this.limit, permits, waiters }),
        ),
    };
  }

  async #step<Answer extends AnyAnswer>(
    script: Step['script'],
    send: (caller: Caller) => Promise<Reply<Answer>>,
  ): Promise<Reply<Answer>> {
    const caller = this.caller();
    const reply = await this.scene.step(script, caller, () => send(caller));
    if (reply.kind === 'ok') {
      this.terms = reply.terms;
      this.limitInForce = reply.limit;
      this.epoch = this.epoch === 0 || script === 'restore' ? reply.epoch : this.epoch;
      for (const answer of reply.answers) {
        if (typeof answer === 'object') {
          this.seen = Math.max(
            this.seen,
            answer.kind === 'granted' ? answer.token : answer.kind === 'queued' ? answer.ticket : 0,
          );
        }
      }
      this.seen = Math.max(this.seen, reply.epoch, ...reply.grants.map(({ token }) => token));
    }
    return reply;
  }
}

export interface Inbox {
  /** Takes out what has come. */
  read(): Promise<Message[]>;
}

/** A message as a client reads it. */
export interface Message {
  readonly semaphore: string;
  readonly epoch: number;
  readonly nowMs: number;
  readonly limit: number;
  readonly grants: ReturnType<typeof grantsOf>;
}

function decode(clientId: string, text: string): Message {
  const [semaphore, epoch, nowUs, limit, flat, ...rest] = JSON.parse(text);
  expect(rest).toEqual([]);
  return { semaphore, epoch, nowMs: nowUs / 1000, limit, grants: grantsOf(clientId, flat) };
}

/** The reply, which is a good one. */
export function ok<Answer>(reply: Reply<Answer>): Ok<Answer> {
  if (reply.kind !== 'ok') throw new Error(`The reply is '${reply.kind}'.`);
  return reply;
}

function expectKind<K extends AcquireAnswer['kind']>(taken: Taken, kind: K): Taken & { kind: K } {
  expect(taken).toMatchObject({ kind });
  return taken as Taken & { kind: K };
}

function scores(flat: unknown): Record<string, number> {
  const result: Record<string, number> = {};
  const values = flat as string[];
  for (let i = 0; i < values.length; i += 2) {
    result[values[i] as string] = Number(values[i + 1]);
  }
  return result;
}
