import { eventually } from './eventually.ts';
import { Fleet, type FleetNode } from './fleet.ts';
import { areInStep, replicationOf } from './replication.ts';

/** A primary with replicas, and nobody who would replace it. */
export interface ReplicatedServer extends AsyncDisposable {
  readonly primary: FleetNode;
  readonly replicas: readonly FleetNode[];
  /** Makes a replica the primary of all others, by hand. */
  promote(heir: FleetNode): Promise<void>;
  /** Ends all of them and deletes their folders. */
  stop(): Promise<void>;
}

const config = { 'repl-diskless-sync-delay': '0', 'repl-ping-replica-period': '1' };

/** @throws if no redis-server can be had (see `serverProgram`), or it isn't ready in time */
export async function startReplicated({ replicas: count = 2 } = {}): Promise<ReplicatedServer> {
  const fleet = await Fleet.open();
  try {
    const primary = await fleet.launch({ name: 'primary', config });
    const replicaof = `127.0.0.1 ${primary.port}`;
    const launch = (_: unknown, i: number) =>
      fleet.launch({ name: `replica-${i}`, config: { ...config, replicaof } });
    const replicas = await Promise.all(Array.from({ length: count }, launch));
    const inStep = async () => {
      const states = await Promise.all([primary, ...replicas].map(replicationOf));
      return states.every(({ isLinked }) => isLinked) && areInStep(states);
    };
    await eventually('replicas are in step', inStep);
    // To one that is in step nothing more is sent before its first acknowledgement, which comes within a second.
    await eventually('replicas acknowledge', async () => {
      await primary.redis.publish('acknowledge', '');
      return (await primary.redis.wait(count, 100)) === count;
    });
    const promote = async (heir: FleetNode) => {
      await heir.redis.call('REPLICAOF', 'NO', 'ONE');
      const others = [primary, ...replicas].filter((node) => node !== heir && node.isRunning);
      await Promise.all(others.map(({ redis }) => redis.call('REPLICAOF', '127.0.0.1', heir.port)));
    };
    const stop = () => fleet.stop();
    return { primary, replicas, promote, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}
