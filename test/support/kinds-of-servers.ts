import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startCluster } from '../../support/redis/cluster.ts';
import { onFreePort } from '../../support/redis/free-port.ts';
import { startSentinel } from '../../support/redis/sentinel.ts';
import { type RedisServer, type StartRedisOptions, startRedis } from '../../support/redis/start-redis.ts';
import { type Certificate, makeCertificate, withCertificateFiles } from './certificate.ts';
import type { Ground } from './ground.ts';

/** Servers that run, until they are stopped. */
export interface StartedServers extends Omit<Ground, 'kind'> {
  /** One line for humans. */
  readonly description: string;
  /** Of the process, if it is a single one. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
  /** After `stop`: starts a single server where it was, on its data if it has a folder for them. */
  again?(): Promise<StartedServers>;
}

/**
 * Starts servers of one kind.
 *
 * @param options as `startRedis` takes them, where it is a single server; `own` for servers of one test's own, which
 *   may be fewer
 */
export type Servers = (options: StartRedisOptions) => Promise<StartedServers>;

interface Access {
  /** Whether everybody needs a password. */
  readonly password?: boolean;
  /** By which example of examples/acl/ clients come in; who has the admin's url may do everything. */
  readonly user?: 'service';
  /** Whether clients come in by TLS; the admin does not. */
  readonly tls?: boolean;
  /** Whether clients come in by a socket in the file system. */
  readonly socket?: boolean;
}

const password = 's3cret/%';

/** A single server. */
export function oneServer(access: Access = {}): Servers {
  return (options) =>
    onFreePort(undefined, async (tlsPort) => {
      const certificate = access.tls ? await makeCertificate() : undefined;
      const socket = access.socket
        ? join(tmpdir(), `parkade-test-${process.pid}-${tlsPort}.sock`)
        : undefined;
      return launch(access, options, { tlsPort, certificate, socket });
    });
}

interface Entrance {
  readonly tlsPort: number;
  readonly certificate: Certificate | undefined;
  readonly socket: string | undefined;
}

async function launch(
  access: Access,
  options: StartRedisOptions,
  entrance: Entrance,
): Promise<StartedServers> {
  const { tlsPort, certificate, socket } = entrance;
  const server = await start(access, options, entrance);
  if (socket !== undefined && server.way === 'docker') {
    await server.stop();
    throw new Error(
      "The socket of a Redis in Docker is not on this machine: set PARKADE_REDIS to 'path' or 'debian'.",
    );
  }
  const adminUrl = new URL(server.url);
  const admin = new Redis(server.url);
  if (access.password) {
    await admin.config('SET', 'requirepass', password);
    adminUrl.password = encodeURIComponent(password);
  }
  if (access.user) await admin.call('ACL', 'SETUSER', 'limited', 'reset', ...rulesOf(access.user));
  admin.disconnect();
  const url = new URL(adminUrl);
  if (access.user) [url.username, url.password] = ['limited', 'CHANGE-ME'];
  return {
    adminUrls: [adminUrl.href],
    clientUrls: [
      socket === undefined
        ? certificate
          ? url.href.replace(/^redis:(.*:)\d+$/, `rediss:$1${tlsPort}`)
          : url.href
        : `unix://${socket}`,
    ],
    ...(certificate && { certificate }),
    description: server.description,
    pid: server.pid,
    again: () => launch(access, { ...options, port: Number(new URL(server.url).port) }, entrance),
    async stop() {
      await server.stop();
      if (socket !== undefined) rmSync(socket, { force: true }); // one that is killed leaves it
    },
  };
}

function start(
  access: Access,
  options: StartRedisOptions,
  { tlsPort, certificate, socket }: Entrance,
): Promise<RedisServer> {
  const startWith = (more: Record<string, string>) => {
    const config = { ...options.config, ...more, ...(socket !== undefined && { unixsocket: socket }) };
    return startRedis({
      ...options,
      ...(Object.keys(config).length > 0 && { config }),
      own: options.own || Object.keys(access).length > 0,
    });
  };
  if (certificate === undefined) return startWith({});
  return withCertificateFiles(certificate, ({ key, cert }) =>
    startWith({
      'tls-port': `${tlsPort}`,
      'tls-auth-clients': 'no',
      'tls-cert-file': cert,
      'tls-key-file': key,
      'tls-ca-cert-file': cert,
    }),
  );
}

/** The example's rights, for the prefixes of tests; and what docs/security.md adds for `list`. */
function rulesOf(example: string): string[] {
  const file = new URL(`../../examples/acl/${example}.acl`, import.meta.url);
  const [, , ...rules] = readFileSync(file, 'utf8').trim().split(' ');
  return [...rules.map((rule) => rule.replace('parkade', 'test-*')), '+scan'];
}

export const cluster: Servers = async ({ own }) => {
  const group = await startCluster({ replicasEach: own ? 0 : 1 });
  const urls = group.nodes.map(({ url }) => url);
  const { description } = group;
  return { adminUrls: urls, clientUrls: urls, description, pid: undefined, stop: () => group.stop() };
};

export const sentinelGroup: Servers = async ({ own }) => {
  const size = own ? { replicas: 1, sentinels: 1 } : {};
  const group = await startSentinel(size);
  const { name, addresses, description } = group;
  const urls = group.nodes.map(({ url }) => url);
  return {
    adminUrls: urls,
    clientUrls: urls,
    sentinels: { name, addresses },
    description,
    pid: undefined,
    stop: () => group.stop(),
  };
};
