import { eventually } from './eventually.ts';
import type { FleetNode } from './fleet.ts';

/** Where a server stands in its replication. */
export interface Replication {
  /** Whether it is a primary, or in touch with its primary. */
  readonly isLinked: boolean;
  /** The port of the primary whose data it has; its own if it is one. */
  readonly primaryPort: number;
  readonly offset: number;
}

export async function replicationOf({ port, redis }: FleetNode): Promise<Replication> {
  const info = await redis.info('replication');
  const field = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
  const isReplica = field('role') === 'slave';
  return {
    isLinked: !isReplica || field('master_link_status') === 'up',
    primaryPort: isReplica ? Number(field('master_port')) : port,
    offset: Number(field(isReplica ? 'slave_repl_offset' : 'master_repl_offset')),
  };
}

/** Whether all that have the same primary have the same data. */
export function areInStep(servers: readonly Replication[]): boolean {
  const offsets = new Map<number, number>();
  return servers.every(({ primaryPort, offset }) => {
    const other = offsets.get(primaryPort) ?? offset;
    offsets.set(primaryPort, other);
    return other === offset;
  });
}

/**
 * Keeps replicas from getting what their primary is told from now on. Resolves with the way to let replication go on,
 * for after the primary has died.
 */
export async function holdBack(
  primary: FleetNode,
  replicas: readonly FleetNode[],
): Promise<() => Promise<void>> {
  const logInWith = async (password: string) => {
    await Promise.all(replicas.map(({ redis }) => redis.config('SET', 'masterauth', password)));
  };
  // They can't log in again once they are thrown out, but stay fit to be promoted.
  await logInWith('refused');
  await primary.redis.call('CLIENT', 'KILL', 'TYPE', 'replica');
  await eventually('no replica is attached', async () =>
    /^connected_slaves:0/m.test(await primary.redis.info('replication')),
  );
  return () => logInWith('');
}
