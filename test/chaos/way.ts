import { Cluster, Redis } from 'ioredis';
import type { IoredisLike } from '../../src/index.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where the address of a server, `host:port`, leads instead. */
export type Detours = Readonly<Record<string, Address>>;

/** How a client gets to the target; can be written down for another process. */
export type Way =
  | { readonly kind: 'standalone'; readonly url: string }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly Address[];
      readonly name: string;
      readonly detours: Detours;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly Address[]; readonly detours: Detours };

export function detour(address: Address, detours: Detours): Address {
  return detours[`${address.host}:${address.port}`] ?? address;
}

/** What a `SemaphoreClient` is given; of a Sentinel group or a Cluster it is lent, and has to be closed after the client. */
export function takeWay(way: Way): { readonly connection: string | IoredisLike; close(): void } {
  if (way.kind === 'standalone') return { connection: way.url, close() {} };
  const natMap = { ...way.detours };
  const connection =
    way.kind === 'sentinel'
      ? new Redis({
          sentinels: way.sentinels.map((sentinel) => detour(sentinel, natMap)),
          name: way.name,
          natMap,
        })
      : new Cluster(
          way.nodes.map((node) => detour(node, natMap)),
          { natMap },
        );
  connection.on('error', () => {}); // the client hears them, too
  return { connection, close: () => connection.disconnect() };
}
