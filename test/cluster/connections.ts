import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5';
import { createSentinel } from 'redis';
import { onTestFinished } from 'vitest';
import type { IoredisLike, NodeRedisLike } from '../../src/index.ts';
import * as scripts from '../../src/redis/lua.generated.ts';
import type { RedisCluster } from '../../support/redis/cluster.ts';
import type { FleetNode } from '../../support/redis/fleet.ts';
import type { SentinelGroup } from '../../support/redis/sentinel.ts';
import { FaultProxy } from '../support/fault-proxy.ts';

/** A connection that a test opens and lends to clients. */
export type Connection = IoredisLike & {
  ping(): Promise<string>;
  eventNames(): (string | symbol)[];
  listenerCount(event: string | symbol): number;
};

export type IoredisVersion = 5 | 6;

export function connectSentinelByNodeRedis({ addresses, name }: SentinelGroup): Connection {
  const redis = createSentinel({
    name,
    sentinelRootNodes: [...addresses],
  });
  redis.on('error', () => {});
  redis.connect().catch(() => {});
  return redis as unknown as Connection;
}

export function end(connection: Connection): void {
  if ('destroy' in connection) {
    void Promise.resolve((connection as unknown as NodeRedisLike).destroy()).catch(() => {});
  } else {
    connection.disconnect();
  }
}

/** Where the addresses of nodes lead instead, by `host:port`. */
export type Detours = Record<string, { host: string; port: number }>;

export function connectCluster(
  { startupNodes }: RedisCluster,
  version: IoredisVersion,
  natMap?: Detours,
): Connection {
  const nodes = startupNodes.map((node) => natMap?.[`${node.host}:${node.port}`] ?? node);
  const options = natMap ? { natMap } : {};
  const redis: Connection = version === 6 ? new Cluster(nodes, options) : new Cluster5(nodes, options);
  redis.on('error', () => {});
  return redis;
}

/** A connection on which every node is behind a proxy, by the node's port; both are closed at the end of the test. */
export async function connectByProxies(
  cluster: RedisCluster,
  version: IoredisVersion,
): Promise<{ connection: Connection; proxies: Map<number, FaultProxy> }> {
  const proxies = new Map<number, FaultProxy>();
  const detours: Detours = {};
  for (const { port, url, redis } of cluster.nodes) {
    // A request is told by its script's hash, so the scripts must be known.
    await Promise.all(Object.values(scripts).map(({ text }) => redis.script('LOAD', text)));
    const proxy = await FaultProxy.before(url);
    proxies.set(port, proxy);
    detours[`127.0.0.1:${port}`] = { host: '127.0.0.1', port: Number(new URL(proxy.url).port) };
  }
  const connection = connectCluster(cluster, version, detours);
  onTestFinished(async () => {
    connection.disconnect();
    await Promise.all([...proxies.values()].map((proxy) => proxy[Symbol.asyncDispose]()));
  });
  return { connection, proxies };
}

export function connectSentinel({ addresses, name }: SentinelGroup, version: IoredisVersion): Connection {
  const options = { sentinels: addresses, name };
  const redis: Connection = version === 6 ? new Redis(options) : new Redis5(options);
  redis.on('error', () => {});
  return redis;
}

/** How many listen to what on a connection; and to the end of those to the nodes of a Cluster, which come and go. */
export function listenersOf(connection: Connection): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const event of connection.eventNames()) {
    counts[String(event)] = connection.listenerCount(event);
  }
  const nodes = 'nodes' in connection ? (connection.nodes as () => Connection[])() : [];
  // While it opens a connection, ioredis listens too.
  const settled = nodes.filter(({ status }) => status === 'wait' || status === 'ready');
  counts['end of nodes'] = settled.reduce((sum, node) => sum + node.listenerCount('close'), 0);
  return counts;
}

/** How many subscribers of clients the running servers have. */
export async function countSubscribers(nodes: readonly FleetNode[]): Promise<number> {
  const lists = await Promise.all(
    nodes.filter(({ isRunning }) => isRunning).map(({ redis }) => redis.client('LIST') as Promise<string>),
  );
  return lists.join('\n').split('name=parkade-subscriber').length - 1;
}
