import 'redis'; // loaded beforehand, as ioredis is: on a busy machine it takes a second, which is not Redis's to answer for
import { Redis } from 'ioredis';
import { expect, onTestFinished } from 'vitest';
import {
  type IoredisLike,
  type NodeRedisLike,
  type Semaphore,
  SemaphoreClient,
  type SemaphoreClientOptions,
  type SemaphoreOptions,
} from '../../src/index.ts';
import { channelOf, keysOf } from '../../src/redis/keys.ts';
import * as scripts from '../../src/redis/lua.generated.ts';
import { type RedisServer, type StartRedisOptions, startRedis } from '../../support/redis/start-redis.ts';
import { FaultProxy } from './fault-proxy.ts';
import { redisUrl, uniquePrefix } from './redis.ts';
import { until } from './until.ts';

/*
 * What tests of the client are made of. Whatever is opened here is closed at the end of the test that opened it.
 */

export interface OpenOptions extends SemaphoreClientOptions {
  /** Where to; by default the server that all tests share. */
  connection?: string | IoredisLike | NodeRedisLike;
}

/**
 * A client with short times, under a prefix of its own unless one is given. Its errors are left aside unless a test listens.
 * Presence is the time to shorten: all that waits for a beat takes a third of it.
 */
export function openClient({ connection = redisUrl(), ...options }: OpenOptions = {}): SemaphoreClient {
  const client = new SemaphoreClient(connection, {
    prefix: uniquePrefix(),
    label: 'test',
    presenceMs: 1_500,
    attemptTimeoutMs: 1_000,
    unavailableAfterMs: 10_000,
    ...options,
  });
  client.on('error', () => {});
  onTestFinished(() => client.close());
  return client;
}

/** Some clients under one prefix. */
export function openClients(count: 2, options?: OpenOptions): [SemaphoreClient, SemaphoreClient];
export function openClients(
  count: 3,
  options?: OpenOptions,
): [SemaphoreClient, SemaphoreClient, SemaphoreClient];
export function openClients(count: number, options: OpenOptions = {}): SemaphoreClient[] {
  const prefix = options.prefix ?? uniquePrefix();
  return Array.from({ length: count }, () => openClient({ prefix, ...options }));
}

/** The semaphore 'api' of each. */
export function apiOf<const Clients extends readonly SemaphoreClient[]>(
  clients: Clients,
  options: SemaphoreOptions,
): { -readonly [I in keyof Clients]: Semaphore } {
  return clients.map((client) => client.semaphore('api', options)) as never;
}

/** A plain connection, to look at Redis beside the client. */
export function openRedis(url = redisUrl()): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: 3 });
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** A server that may be flushed, restarted or killed. */
export async function openServer(options: StartRedisOptions = {}): Promise<RedisServer> {
  const server = await startRedis({ own: true, ...options });
  onTestFinished(() => server.stop());
  return server;
}

/**
 * A proxy in front of a server that knows all scripts already, so that a request can be told by its script's hash.
 */
export async function openProxy(url = redisUrl()): Promise<FaultProxy> {
  const redis = openRedis(url);
  await Promise.all(Object.values(scripts).map(({ text }) => redis.script('LOAD', text)));
  const proxy = await FaultProxy.before(url);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  return proxy;
}

/** The hash by which a script is called. */
export const hashOf = {
  acquire: scripts.acquireScript.sha,
  beat: scripts.beatScript.sha,
  release: scripts.releaseScript.sha,
  renew: scripts.renewScript.sha,
  resize: scripts.resizeScript.sha,
  restore: scripts.restoreScript.sha,
  revoke: scripts.revokeScript.sha,
} as const;

/** What these clients say they have restored, from now on. */
export function restorationsOf(...clients: SemaphoreClient[]) {
  const restored: { semaphore: string; permits: number; waiters: number }[] = [];
  for (const client of clients) client.on('restored', (what) => restored.push(what));
  return restored;
}

/** Resolves when Redis knows that the client hears messages. */
export async function untilListening(
  client: Pick<SemaphoreClient, 'id'>,
  prefix: string,
  url = redisUrl(),
): Promise<void> {
  const redis = openRedis(url);
  await until(`${client.id} listens`, async () => {
    const [, count] = await redis.pubsub('NUMSUB', channelOf(prefix, client.id));
    return Number(count) > 0;
  });
}

/** What Redis has of a semaphore, read past the client. */
export async function recordsOf(
  redis: Redis,
  prefix: string,
  name: string,
): Promise<{ permits: string[]; waiters: string[] }> {
  const keys = keysOf(prefix, name);
  const [permits, waiters] = await Promise.all([
    redis.zrange(keys.permits, '0', '-1'),
    redis.zrange(keys.waiters, '0', '-1'),
  ]);
  return { permits, waiters };
}

/** For how long a permit is still valid on the server, ms. */
export async function serverLeaseMs(redis: Redis, prefix: string, name: string, id: string): Promise<number> {
  const script = `local t = redis.call('TIME')
    return math.floor(tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1])) - t[1] * 1000 - t[2] / 1000)`;
  return Number(await redis.eval(script, 1, keysOf(prefix, name).permits, id));
}

/** Fails unless nothing is held and nobody waits, and says what is left over. */
export async function expectFree(client: SemaphoreClient, name: string, limit: number): Promise<void> {
  const { held, waiting, available, holders, waiters } = await client.inspect(name);
  expect({ held, waiting, available, holders, waiters }).toEqual({
    held: 0,
    waiting: 0,
    available: limit,
    holders: [],
    waiters: [],
  });
}
