import { EventEmitter } from 'node:events';
import type { Cluster, Redis } from 'ioredis';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { SemaphoreClient } from '../../src/index.ts';
import { connect } from '../../src/redis/connect.ts';
import { diallingFor, pauseMs } from '../../src/redis/dialling.ts';
import { connectByNodeRedis } from '../../src/redis/node-redis.ts';
import { until } from '../support/until.ts';

/** What the clients of these tests open. */
const opened = vi.hoisted(() => [] as (Redis | Cluster)[]);

vi.mock('ioredis', async (importOriginal) => {
  const library = await importOriginal<typeof import('ioredis')>();
  class Redis extends library.Redis {
    constructor(...args: [never, never]) {
      super(...args);
      opened.push(this);
    }
  }
  class Cluster extends library.Cluster {
    constructor(...args: [never, never]) {
      super(...args);
      opened.push(this);
    }
  }
  return { ...library, Redis, Cluster };
});

afterEach(() => {
  opened.length = 0;
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Where nobody listens. */
const nowhere = '127.0.0.1:1';
const attempts = Array.from({ length: 100 }, (_, i) => i);

describe('the pause between two attempts to connect', () => {
  const longest = (mostMs?: number) => attempts.map((attempt) => pauseMs(attempt, mostMs));

  test('grows up to two seconds, or to the most that is allowed', () => {
    vi.spyOn(Math, 'random').mockReturnValue(1 - Number.EPSILON);
    expect(longest().slice(0, 7).map(Math.round)).toEqual([50, 100, 200, 400, 800, 1600, 2000]);
    expect(Math.max(...longest())).toBeLessThanOrEqual(2_000);
    expect(Math.max(...longest(500))).toBeLessThanOrEqual(500);
  });

  test('is half chance, whatever limits it', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    expect(longest().slice(0, 7)).toEqual([25, 50, 100, 200, 400, 800, 1000]);
    expect(longest(500).at(-1)).toBe(250);
  });

  test('is a quarter of the presence time at most, so that whoever comes back is in time to put back what it held', () => {
    for (const presenceMs of [100, 2_000, 7_999]) {
      expect(diallingFor(presenceMs).pauseMs).toBe(presenceMs / 4);
    }
    expect(diallingFor(8_000).pauseMs).toBe(2_000);
    expect(diallingFor(60_000).pauseMs).toBe(2_000);
  });
});

test('an attempt that nobody answers takes half a presence time, but no less than two seconds and no more than ten', () => {
  const attemptMs = (presenceMs: number) => diallingFor(presenceMs).attemptMs;
  expect([100, 2_000, 4_000, 10_000, 20_000, 60_000].map(attemptMs)).toEqual([
    2_000, 2_000, 2_000, 5_000, 10_000, 10_000,
  ]);
});

describe('a connection of our own by ioredis waits no longer than a quarter of its client’s presence time', () => {
  /** What a client with this presence time opens; a Cluster opens connections to its nodes, too. */
  async function open<Options>(url: string, presenceMs: number): Promise<Options> {
    const client = new SemaphoreClient(url, { presenceMs });
    onTestFinished(() => client.close());
    const first = await until('it connects', () => opened[0]);
    return first.options as object as Options;
  }

  interface Patience {
    readonly retryStrategy: (attempt: number) => number;
    readonly sentinelRetryStrategy: (attempt: number) => number;
    readonly connectTimeout: number;
    readonly disconnectTimeout: number;
    readonly maxLoadingRetryTime: number;
  }

  test.each([`redis://${nowhere}`, 'unix:///nowhere', `redis-sentinel://${nowhere}/group`])(
    'before it connects again, or asks a server that loads: %s',
    async (url) => {
      const options = await open<Patience>(url, 2_000);
      expect(Math.max(...attempts.map(options.retryStrategy))).toBeLessThanOrEqual(500);
      expect(Math.max(...attempts.map(options.sentinelRetryStrategy))).toBeLessThanOrEqual(500);
      expect(options).toMatchObject({
        connectTimeout: 2_000,
        disconnectTimeout: 500,
        maxLoadingRetryTime: 500,
      });
    },
  );

  test('and on a Cluster', async () => {
    const options = await open<{
      clusterRetryStrategy: (attempt: number) => number;
      redisOptions: Partial<Patience>;
    }>(`redis-cluster://${nowhere}`, 2_000);
    expect(Math.max(...attempts.map(options.clusterRetryStrategy))).toBeLessThanOrEqual(500);
    expect(options.redisOptions).toMatchObject({ connectTimeout: 2_000, maxLoadingRetryTime: 500 });
  });

  test('however long the server has been away', async () => {
    const asked: number[] = [];
    const client = new SemaphoreClient(`redis://${nowhere}`, { presenceMs: 400 });
    onTestFinished(() => client.close());
    const redis = await until('it connects', () => opened[0]);
    redis.on('reconnecting', (ms: number) => asked.push(ms));
    await until('it has tried again often', () => asked.length >= 8);
    expect(Math.max(...asked)).toBeLessThanOrEqual(100);
  });
});

/** Fails whenever it is opened; the adapter makes another one each time. */
class Unreachable extends EventEmitter {
  readonly isOpen = false;
  readonly isReady = false;
  readonly options = {};
  readonly evalSha = vi.fn();
  readonly eval = vi.fn();
  readonly subscribe = vi.fn();
  readonly unsubscribe = vi.fn();
  readonly unref = vi.fn();
  readonly destroy = vi.fn();
  readonly getMasterNode = vi.fn();
  readonly withCommandOptions = () => this;
  readonly duplicate = () => new Unreachable();
  readonly connect = () => {
    Unreachable.dialledAtMs.push(Date.now());
    return Promise.reject(new Error('nobody there'));
  };
  static dialledAtMs: number[] = [];
}

describe('a connection over clients of our own by node-redis waits no longer than a quarter of its client’s presence time', () => {
  const events = { ready() {}, error() {} };
  const byUrl = (createClient: (options: object) => unknown) =>
    connectByNodeRedis(
      { createClient },
      { kind: 'server', url: `redis://${nowhere}` },
      events,
      diallingFor(2_000),
    );

  test.each([
    ['to a url', () => byUrl(() => new Unreachable())],
    ['like a Sentinel that is lent', () => connect(new Unreachable(), events, 2_000)],
  ])('%s', async (_which, open) => {
    vi.useFakeTimers();
    Unreachable.dialledAtMs = [];
    const connection = open();
    await vi.advanceTimersByTimeAsync(30_000);
    await connection.close();
    const [first = 0, ...more] = Unreachable.dialledAtMs;
    expect(more.length).toBeGreaterThanOrEqual(60);
    const pauses = more.map((atMs, i) => atMs - (more[i - 1] ?? first));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(500);
  });

  test('and gives an attempt up in the time for one', async () => {
    const options: object[] = [];
    const connection = byUrl((its) => {
      options.push(its);
      return new Unreachable();
    });
    await connection.close();
    expect(options[0]).toMatchObject({ socket: { connectTimeout: 2_000 } });
  });
});

test('a server that is reached and can not serve yet is asked again within a quarter of the presence time', async () => {
  vi.useFakeTimers();
  const askedAtMs: number[] = [];
  const loading = () => {
    askedAtMs.push(performance.now());
    const error = new Error('LOADING Redis is loading the dataset in memory');
    return Promise.reject(Object.assign(error, { name: 'ReplyError' }));
  };
  const redis = Object.assign(new EventEmitter(), {
    status: 'ready',
    options: {},
    info: async () => 'redis_version:7.0.0',
    evalsha: loading,
    eval: loading,
    duplicate: () => redis,
  });
  const client = new SemaphoreClient(redis as never, { presenceMs: 2_000, unavailableAfterMs: 30_000 });
  const request = client.semaphore('api', { limit: 1 }).tryAcquire();
  const refused = expect(request).rejects.toThrow('LOADING');
  await vi.advanceTimersByTimeAsync(31_000);
  await refused;
  expect(askedAtMs.length).toBeGreaterThanOrEqual(60);
  const pauses = askedAtMs.slice(1).map((atMs, i) => atMs - (askedAtMs[i] as number));
  expect(Math.max(...pauses)).toBeLessThanOrEqual(501); // timers have whole ms
});
