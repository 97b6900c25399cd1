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
