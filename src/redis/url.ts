import type { ConnectionOptions } from 'node:tls';
import { InvalidOptionsError } from '../errors.ts';

interface Access {
  readonly username?: string;
  readonly password?: string;
  /** Present where TLS is to be used. */
  readonly tls?: ConnectionOptions;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where a url leads. */
export type RedisTarget =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'server'; readonly url: string; readonly tls?: ConnectionOptions }
  | ({
      readonly kind: 'sentinel';
      readonly sentinels: Address[];
      readonly group: string;
      readonly db: number;
      readonly sentinelUsername?: string;
      readonly sentinelPassword?: string;
    } & Access)
  | ({ readonly kind: 'cluster'; readonly nodes: Address[] } & Access);

const allowed =
  'allowed is redis://host:port, rediss://host:port (TLS), unix:///path, redis-sentinel://host:port,host:port/GROUP or redis-cluster://host:port,host:port (rediss-… for TLS)';

/** For messages to humans; without a password. */
export function addressOfTarget(target: RedisTarget): string {
  switch (target.kind) {
    case 'socket':
      return target.path;
    case 'server': {
      const { hostname, port } = new URL(target.url);
      return `${hostname || 'localhost'}:${port || 6379}`;
    }
    case 'sentinel':
      return `Sentinel group '${target.group}'`;
    case 'cluster':
      return 'the Redis Cluster';
  }
}

/**
 * Reads `redis://`, `rediss://` and `unix://` urls, a socket's path, `redis-sentinel://user:password@host,host/GROUP/db`
 * and `redis-cluster://user:password@host,host`, and both with `rediss-` for TLS. User and password are the servers';
 * those of sentinels are `?sentinelUsername=…&sentinelPassword=…`.
 *
 * @param tls how to do TLS, where the url asks for it
 * @throws InvalidOptionsError without the password
 */
export function parseUrl(text: string, tls: ConnectionOptions = {}): RedisTarget {
  if (text.startsWith('/')) {
    return { kind: 'socket', path: text };
  }
  const fleet = /^redis(s?)-(sentinel|cluster):\/\/(?:([^/?#]*)@)?([^@/?#]*)([^?#]*)(\?[^#]*)?$/.exec(text);
  if (fleet !== null) {
    const [, secure, kind, credentials, hosts = '', path = '', query = ''] = fleet;
    const access = { ...accessOf(text, credentials), ...(secure && { tls }) };
    return kind === 'cluster'
      ? clusterOf(text, addressesOf(text, hosts, 6379), path, query, access)
      : sentinelOf(text, addressesOf(text, hosts, 26379), path, query, access);
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  switch (url?.protocol) {
    case 'unix:':
      return { kind: 'socket', path: url.pathname };
    case 'redis:':
      return { kind: 'server', url: text };
    case 'rediss:':
      return { kind: 'server', url: text, tls };
    default:
      throw bad(text);
  }
}

function sentinelOf(
  text: string,
  sentinels: Address[],
  path: string,
  query: string,
  access: Access,
): RedisTarget {
  const [, group, db] = /^\/([^/]+)(?:\/(\d+))?$/.exec(path) ?? [];
  if (group === undefined) {
    throw bad(text, 'it names no group behind the hosts');
  }
  const { sentinelUsername, sentinelPassword, ...others } = Object.fromEntries(new URLSearchParams(query));
  refuseOthers(text, others);
  return {
    kind: 'sentinel',
    sentinels,
    group: decoded(text, group),
    db: Number(db ?? 0),
    ...access,
    ...(sentinelUsername && { sentinelUsername }),
    ...(sentinelPassword && { sentinelPassword }),
  };
}

function clusterOf(text: string, nodes: Address[], path: string, query: string, access: Access): RedisTarget {
  if (!/^\/?0?$/.test(path)) {
    throw bad(text, 'a Cluster has the database 0 alone');
  }
  refuseOthers(text, Object.fromEntries(new URLSearchParams(query)));
  return { kind: 'cluster', nodes, ...access };
}

function addressesOf(text: string, hosts: string, defaultPort: number): Address[] {
  return hosts.split(',').map((part) => {
    const [, host, port = defaultPort] = /^(\[[\da-f:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/i.exec(part) ?? [];
    if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
      throw bad(text, `'${part}' is no host:port`);
    }
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  });
}

function accessOf(text: string, credentials: string | undefined): Access {
  if (credentials === undefined) {
    return {};
  }
  const [username = '', ...rest] = credentials.split(':');
  const password = rest.join(':');
  return {
    ...(username && { username: decoded(text, username) }),
    ...(password && { password: decoded(text, password) }),
  };
}

function decoded(text: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw bad(text, 'a % in it is not followed by two hexadecimal digits');
  }
}

function refuseOthers(text: string, others: Record<string, string>): void {
  const [name] = Object.keys(others);
  if (name !== undefined) {
    throw bad(text, `'${name}' is not a parameter`);
  }
}

function bad(text: string, why?: string): InvalidOptionsError {
  const shown = text
    .replace(/\/\/.*@/, '//…@')
    .replace(/(password=)[^&]*/gi, '$1…')
    .slice(0, 120);
  return new InvalidOptionsError('Bad connection', [
    `the url is '${shown}'${why === undefined ? '' : `, and ${why}`}, ${allowed}`,
  ]);
}
