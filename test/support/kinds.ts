import { byIoredis, byIoredis5, byNodeRedis, byUrl, type Lend } from './kinds-of-connections.ts';
import { cluster, oneServer, type Servers, sentinelGroup } from './kinds-of-servers.ts';

/*
 * Where the tests of the client can run: on which servers, over which connections. `PARKADE_ON=NAME` chooses one for
 * vitest, `npm run test:servers` runs them in turn.
 */

/** What a test may need that not every kind has. */
export type Ability =
  /** A single server, to be stopped, started again and to stand still. */
  | 'one server'
  /** A client has one connection for calls and one for messages, and no more. */
  | 'two connections'
  /** The client opens its connection itself, and closes it. */
  | 'own connection'
  /** A url alone leads there, with any user and password in it. */
  | 'plain url'
  /** A connection that has died without a word is replaced. */
  | 'silence noticed'
  /** A call goes out while another one has not been answered. */
  | 'calls side by side';

export interface Kind {
  /** For the table in docs/servers.md. */
  readonly title: string;
  readonly servers: Servers;
  readonly lend: Lend;
  /** Put before all keys by the connection. */
  readonly keyPrefix?: string;
  /** What it lacks, and why. */
  readonly cannot?: Partial<Record<Ability, string>>;
}

const borrowed = {
  'own connection': 'the connection is lent, and not closed with the client',
  'plain url': 'the connection is lent',
};
const borrowedFromOne = {
  ...borrowed,
  'silence noticed': 'the connection is lent, and what its silence means is for its owner to say',
};
const several = { 'one server': 'these are several servers' };
const clustered = { ...several, 'two connections': 'a connection to a Cluster is one to each node' };

const table = {
  standalone: { title: 'one server, by url', servers: oneServer(), lend: byUrl },
  socket: {
    title: 'one server, by unix:// url',
    servers: oneServer({ socket: true }),
    lend: byUrl,
    cannot: { 'plain url': 'the url of a socket has no user' },
  },
  tls: {
    title: 'one server, by rediss:// url and a CA of its own',
    servers: oneServer({ tls: true }),
    lend: byUrl,
    cannot: { 'plain url': 'the url needs a CA beside it' },
  },
  password: {
    title: 'one server that asks for a password',
    servers: oneServer({ password: true }),
    lend: byUrl,
  },
  acl: {
    title: 'one server, as the user of examples/acl/service.acl',
    servers: oneServer({ user: 'service' }),
    lend: byUrl,
  },
  resp2: {
    title: 'one server, ioredis 6 with RESP2',
    servers: oneServer(),
    lend: byIoredis({ protocol: 2 }),
    cannot: borrowedFromOne,
  },
  resp3: {
    title: 'one server, ioredis 6 with RESP3',
    servers: oneServer(),
    lend: byIoredis({ protocol: 3 }),
    cannot: borrowedFromOne,
  },
  prefix: {
    title: 'one server, ioredis 6 with keyPrefix',
    servers: oneServer(),
    lend: byIoredis({ keyPrefix: 'app:' }),
    keyPrefix: 'app:',
    cannot: borrowedFromOne,
  },
  pipelines: {
    title: 'one server, ioredis 6 with enableAutoPipelining',
    servers: oneServer(),
    lend: byIoredis({ enableAutoPipelining: true }),
    cannot: {
      ...borrowedFromOne,
      'calls side by side': 'ioredis sends no second pipeline before the first is answered',
    },
  },
  ioredis5: {
    title: 'one server, ioredis 5',
    servers: oneServer(),
    lend: byIoredis5(),
    cannot: borrowedFromOne,
  },
  'node-redis': {
    title: 'one server, node-redis 6 (RESP3)',
    servers: oneServer(),
    lend: byNodeRedis({ RESP: 3 }),
    cannot: borrowedFromOne,
  },
  'node-redis-resp2': {
    title: 'one server, node-redis 6 with RESP2 and keyPrefix',
    servers: oneServer(),
    lend: byNodeRedis({ RESP: 2, keyPrefix: 'app:' }),
    keyPrefix: 'app:',
    cannot: borrowedFromOne,
  },
  cluster: {
    title: 'a Cluster of six nodes, ioredis 6',
    servers: cluster,
    lend: byIoredis(),
    cannot: { ...borrowed, ...clustered },
  },
  'cluster-prefix': {
    title: 'a Cluster of six nodes, ioredis 6 with keyPrefix',
    servers: cluster,
    lend: byIoredis({ keyPrefix: 'app:' }),
    keyPrefix: 'app:',
    cannot: { ...borrowed, ...clustered },
  },
  'cluster-ioredis5': {
    title: 'a Cluster of six nodes, ioredis 5',
    servers: cluster,
    lend: byIoredis5(),
    cannot: { ...borrowed, ...clustered },
  },
  sentinel: {
    title: 'a Sentinel group of three servers and three sentinels, ioredis 6',
    servers: sentinelGroup,
    lend: byIoredis(),
    cannot: { ...borrowed, ...several },
  },
  'sentinel-ioredis5': {
    title: 'a Sentinel group, ioredis 5',
    servers: sentinelGroup,
    lend: byIoredis5(),
    cannot: { ...borrowed, ...several },
  },
  'sentinel-node-redis': {
    title: 'a Sentinel group, node-redis 6',
    servers: sentinelGroup,
    lend: byNodeRedis({}),
    cannot: { ...borrowed, ...several, 'two connections': 'a sentinel of node-redis has more' },
  },
} satisfies Record<string, Kind>;

export type KindName = keyof typeof table;

export const kinds: Readonly<Record<KindName, Kind>> = table;
