import 'redis'; // loaded beforehand, as ioredis is: on a busy machine it takes a second, which is not Redis's to answer for
import type { Cluster, Redis } from 'ioredis';
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
import type { StartRedisOptions } from '../../support/redis/start-redis.ts';
import { connectAdmin } from './connect-admin.ts';
import { FaultProxy } from './fault-proxy.ts';
import { type Ground, ground } from './ground.ts';
import { kinds } from './kinds.ts';
import type { Lent } from './kinds-of-connections.ts';
import { uniquePrefix } from './redis.ts';
import { until } from './until.ts';

/*
 * What tests of the client are made of. Whatever is opened here is closed at the end of the test that opened it.
 */

export interface OpenOptions extends SemaphoreClientOptions {
  /** Where to; by default to the servers that all tests share, in the way in which they are tested. */
  connection?: string | IoredisLike | NodeRedisLike;
  /** To these servers instead. */
  at?: Ground;
  /** Through a proxy that stands in front of them. */
  through?: FaultProxy;
}

/**
 * A client with short times, under a prefix of its own unless one is given. Its errors are left aside unless a test listens.
 * Presence is the time to shorten: all that waits for a beat takes a third of it.
 */
export function openClient({
  at = ground(),
  through,
  connection,
  ...options
}: OpenOptions = {}): SemaphoreClient {
  const lent: Lent = connection === undefined ? kinds[at.kind].lend(at, through) : { connection };
  if (lent.end) onTestFinished(lent.end);
  const client = new SemaphoreClient(lent.connection, {
    prefix: uniquePrefix(),
    label: 'test',
    presenceMs: 1_500,
    attemptTimeoutMs: 1_000,
    unavailableAfterMs: 10_000,
    ...(lent.tls && { tls: lent.tls }),
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

/** A connection of one who may do everything, to look at Redis beside the client; with the key prefix of the client's. */
export function openRedis(at: string | Ground = ground()): Redis {
  const redis = connectAdmin(at);
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** Each server that has keys of its own: one, or the primaries of a Cluster. Key prefixes are not put before keys there. */
export async function serversOf(redis: Redis): Promise<Redis[]> {
  if (!('nodes' in redis)) return [redis];
  await redis.ping(); // only then it knows them
  return (redis as unknown as Cluster).nodes('master');
}

/** What is asked of each server, in one list. */
export async function onEach<T>(redis: Redis, ask: (server: Redis) => Promise<T | T[]>): Promise<T[]> {
  return (await Promise.all((await serversOf(redis)).map(ask))).flat() as T[];
}

/** The keys under a prefix, as the client knows them. */
export async function keysUnder(redis: Redis, prefix: string): Promise<string[]> {
  const { keyPrefix = '' } = kinds[ground().kind];
  const keys = await onEach(redis, (server) => server.keys(`${keyPrefix}${prefix}*`));
  return keys.map((key) => key.slice(keyPrefix.length));
}

/** Sends a message to a client, once; it must listen already. */
export async function sendTo(
  redis: Redis,
  { prefix, client, text }: { prefix: string; client: string; text: string },
) {
  const channel = channelOf(prefix, client);
  for (const server of await serversOf(redis)) {
    if (Number((await server.pubsub('NUMSUB', channel))[1]) > 0) {
      expect(await server.publish(channel, text)).toBeGreaterThan(0);
      return;
    }
  }
  throw new Error(`${client} does not listen.`);
}

/** Servers that may be flushed, restarted or killed. */
export async function openServer(options: StartRedisOptions = {}): Promise<OwnServers> {
  const { kind } = ground();
  let started = await kinds[kind].servers({ ...options, own: true });
  onTestFinished(() => started.stop());
  return {
    ...started,
    kind,
    url: started.adminUrls[0] as string,
    stop: () => started.stop(),
    async startAgain() {
      if (started.again === undefined) throw new Error(`${started.description} can't be started again.`);
      started = await started.again();
    },
  };
}

export interface OwnServers extends Ground {
  /** Of a single server, or of one of several, for one who may do everything. */
  readonly url: string;
  /** Of the process, where there is only one. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
  /** After `stop`, where it was; with its data if it has a folder. */
  startAgain(): Promise<void>;
}

/**
 * A proxy in front of servers that know all scripts already, so that a request can be told by its script's hash.
 */
export async function openProxy(at: string | Ground = ground()): Promise<FaultProxy> {
  const { clientUrls, certificate } = typeof at === 'string' ? { clientUrls: [at] } : at;
  for (const { text } of Object.values(scripts)) {
    await onEach(openRedis(at), (server) => server.script('LOAD', text) as Promise<string>);
  }
  const proxy = await FaultProxy.before(clientUrls, { certificate });
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
  at: string | Ground = ground(),
): Promise<void> {
  const redis = openRedis(at);
  const channel = channelOf(prefix, client.id);
  await until(`${client.id} listens`, async () => {
    const counts = await onEach(redis, async (server) => Number((await server.pubsub('NUMSUB', channel))[1]));
    return counts.some((count) => count > 0);
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
