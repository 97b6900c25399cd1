import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5';
import { createSentinel } from 'redis';
import type { IoredisLike, NodeRedisLike } from '../../src/index.ts';
import type { RedisCluster } from '../../support/redis/cluster.ts';
import type { FleetNode } from '../../support/redis/fleet.ts';
import type { SentinelGroup } from '../../support/redis/sentinel.ts';

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
