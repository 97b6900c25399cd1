import type { ConnectionOptions } from 'node:tls';
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5';
import { createClient, createSentinel } from 'redis';
import type { IoredisLike, NodeRedisLike } from '../../src/index.ts';
import type { FaultProxy } from './fault-proxy.ts';
import type { Ground } from './ground.ts';

/** What a client of a test is given. */
export interface Lent {
  readonly connection: string | IoredisLike | NodeRedisLike;
  readonly tls?: ConnectionOptions;
  /** Ends what was opened; for after the client has closed. */
  end?(): void;
}

/** Makes a connection to the servers, or to what stands in for them. */
export type Lend = (ground: Ground, proxy?: FaultProxy) => Lent;

/** The client opens the connection itself. */
export const byUrl: Lend = ({ clientUrls, certificate }, proxy) => ({
  connection: (proxy?.urls ?? clientUrls)[0] as string,
  ...(certificate && { tls: { ca: certificate.ca } }),
});

/** As the client names its own: by this name, tests tell connections apart. */
const connectionName = 'parkade';

/** ioredis 6: a Cluster where there are several servers, or a connection by sentinels where there are some. */
export const byIoredis = (
  options: { protocol?: 2 | 3; keyPrefix?: string; enableAutoPipelining?: boolean } = {},
) => lendIoredis({ Redis, Cluster }, options);

/** The same by ioredis 5. */
export const byIoredis5 = (options: { keyPrefix?: string } = {}) =>
  lendIoredis({ Redis: Redis5, Cluster: Cluster5 }, options);

interface Library {
  readonly Redis: new (target: never, options?: never) => IoredisLike;
  readonly Cluster: new (nodes: never, options: never) => IoredisLike;
}

const lendIoredis =
  (library: Library, options: object): Lend =>
  ({ clientUrls, sentinels, certificate }, proxy) => {
    const natMap = proxy && detoursOf(clientUrls, proxy.urls);
    const open = () => {
      if (sentinels) {
        const group = { sentinels: sentinels.addresses, name: sentinels.name, natMap };
        return new library.Redis({ ...options, ...group, connectionName } as never);
      }
      const urls = proxy?.urls ?? clientUrls;
      if (urls.length > 1) {
        const { keyPrefix, ...rest } = options as { keyPrefix?: string };
        const redisOptions = { ...rest, connectionName };
        return new library.Cluster(urls as never, { natMap, keyPrefix, redisOptions } as never);
      }
      const tls = certificate && { ca: certificate.ca };
      const where = (urls[0] as string).replace(/^unix:\/\//, '').replace(/^rediss:/, 'redis:');
      return new library.Redis(where as never, { ...options, connectionName, ...(tls && { tls }) } as never);
    };
    const connection = open();
    connection.on('error', () => {}); // the client hears them, too
    return { connection, end: () => connection.disconnect() };
  };

/** node-redis: a client, or a sentinel where there are some. */
export const byNodeRedis =
  (options: { RESP?: 2 | 3; keyPrefix?: string }): Lend =>
  ({ clientUrls, sentinels }, proxy) => {
    const connection = sentinels
      ? createSentinel({
          name: sentinels.name,
          sentinelRootNodes: [...sentinels.addresses],
          nodeClientOptions: options as never,
          ...(proxy && { nodeAddressMap: detoursOf(clientUrls, proxy.urls) }),
        })
      : createClient({ ...options, name: connectionName, url: (proxy?.urls ?? clientUrls)[0] as string });
    connection.on('error', () => {});
    connection.connect().catch(() => {});
    const end = () => void Promise.resolve(connection.destroy()).catch(() => {});
    return { connection: connection as never as NodeRedisLike, end };
  };

type Address = { host: string; port: number };

/** Where the address of each server leads instead. */
function detoursOf(urls: readonly string[], instead: readonly string[]): Record<string, Address> {
  const address = (url: string) => ({ host: new URL(url).hostname, port: Number(new URL(url).port) });
  return Object.fromEntries(
    urls.map((url, i) => [`127.0.0.1:${new URL(url).port}`, address(instead[i] as string)]),
  );
}
