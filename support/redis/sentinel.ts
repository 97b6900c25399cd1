import { eventually } from './eventually.ts';
import { Fleet, type FleetNode } from './fleet.ts';
import { areInStep, holdBack, replicationOf } from './replication.ts';

export interface SentinelGroup {
  /** The servers, whatever their role is now; the first began as the primary. */
  readonly nodes: readonly FleetNode[];
  readonly sentinels: readonly FleetNode[];
  /** What a client is given to find the primary: `new Redis({ sentinels, name })`. */
  readonly addresses: { host: string; port: number }[];
  /** The name of the group. */
  readonly name: string;
  /** One line for humans: what runs, and where. */
  readonly description: string;
  /** The server that the sentinels name as primary. */
  primary(): Promise<FleetNode>;
  /** A failover on demand (SENTINEL FAILOVER). Resolves with the new primary when the sentinels name it. */
  failover(): Promise<FleetNode>;
  /**
   * Keeps the replicas from getting what is written from now on, so that it is lost when the primary dies. Resolves
   * with the way to let replication go on, for after that.
   */
  holdReplication(): Promise<() => Promise<void>>;
  /** Resolves when every running replica has all that the primary has acknowledged. */
  synced(): Promise<void>;
  /** Resolves when the running sentinels agree on a running primary and all other running servers are in step with it. */
  healthy(): Promise<void>;
  /** Ends all of them and deletes their folders. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const name = 'parkade';

const serverConfig = {
  'repl-diskless-sync-delay': '0',
  'repl-ping-replica-period': '1',
};

/**
 * Starts a primary with two replicas on loopback, and three sentinels that replace it about 2 s after it has died.
 *
 * @throws if no redis-server can be had (see `serverProgram`), or it isn't ready within 30 s
 */
export async function startSentinel({ replicas = 2, sentinels = 3 } = {}): Promise<SentinelGroup> {
  const fleet = await Fleet.open();
  try {
    const primary = await fleet.launch({ name: 'server-0', config: serverConfig });
    const config = { ...serverConfig, replicaof: `127.0.0.1 ${primary.port}` };
    const others = await Promise.all(
      Array.from({ length: replicas }, (_, i) => fleet.launch({ name: `server-${i + 1}`, config })),
    );
    const nodes = [primary, ...others];
    // Sentinels learn of replicas from the primary, every 10 s: those that are there at the start are known at once.
    await eventually('replicas are in step', async () => inStep(nodes));
    const guards = await Promise.all(
      Array.from({ length: sentinels }, (_, i) =>
        fleet.launch({ name: `sentinel-${i}`, config: sentinelConfig(primary.port, i), sentinel: true }),
      ),
    );
    await Promise.all(guards.map(hurry));
    const group = new Group(fleet, nodes, guards);
    await group.healthy();
    return group;
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}

/**
 * The first sentinel notices first, needs nobody else to call it down (a quorum of 1), and has the votes of the others
 * before they notice themselves. Were they equal, votes would often be split, and the next election takes seconds.
 */
const sentinelConfig = (primaryPort: number, i: number) => ({
  'sentinel monitor': `${name} 127.0.0.1 ${primaryPort} 1`,
  [`sentinel down-after-milliseconds ${name}`]: String(1_000 + 500 * i),
  [`sentinel failover-timeout ${name}`]: '2000',
  [`sentinel parallel-syncs ${name}`]: '2',
});

class Group implements SentinelGroup {
  readonly nodes: readonly FleetNode[];
  readonly sentinels: readonly FleetNode[];
  readonly addresses: { host: string; port: number }[];
  readonly name = name;
  readonly description: string;
  readonly #fleet: Fleet;

  constructor(fleet: Fleet, nodes: readonly FleetNode[], sentinels: readonly FleetNode[]) {
    this.#fleet = fleet;
    this.nodes = nodes;
    this.sentinels = sentinels;
    this.addresses = sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
    const ports = (list: readonly FleetNode[]) => list.map(({ port }) => port).join(', ');
    this.description = `${nodes.length} servers ${fleet.program.from} at 127.0.0.1:${ports(nodes)} under sentinels at ${ports(sentinels)}`;
  }

  async primary(): Promise<FleetNode> {
    return this.#at(await this.#portNamedBy(running(this.sentinels)[0] as FleetNode));
  }

  async failover(): Promise<FleetNode> {
    const before = await this.primary();
    const guard = running(this.sentinels)[0] as FleetNode;
    await guard.redis.call('SENTINEL', 'FAILOVER', name);
    return eventually('the sentinels name another primary', async () => {
      const ports = await Promise.all(running(this.sentinels).map((one) => this.#portNamedBy(one)));
      return new Set(ports).size === 1 && ports[0] !== before.port && this.#at(ports[0]);
    });
  }

  async holdReplication(): Promise<() => Promise<void>> {
    const primary = await this.primary();
    const replicas = running(this.nodes).filter((node) => node !== primary);
    return holdBack(primary, replicas);
  }

  async synced(): Promise<void> {
    await eventually('replicas are in step', () => inStep(running(this.nodes)));
  }

  async healthy(): Promise<void> {
    await eventually('the sentinels agree', async () => {
      const alive = running(this.nodes);
      const guards = running(this.sentinels);
      const ports = await Promise.all(guards.map((one) => this.#portNamedBy(one)));
      const primary = alive.find(({ port }) => port === ports[0]);
      if (primary === undefined || new Set(ports).size > 1) return false;
      const known = await Promise.all(
        guards.map((one) => this.#knows(one, alive.length - 1, guards.length - 1)),
      );
      const states = await Promise.all(alive.map(replicationOf));
      return (
        known.every(Boolean) &&
        states.every(({ primaryPort, isLinked }) => isLinked && primaryPort === primary.port) &&
        areInStep(states)
      );
    });
  }

  stop(): Promise<void> {
    return this.#fleet.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #portNamedBy({ redis }: FleetNode): Promise<number> {
    const address = (await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as string[] | null;
    return Number(address?.[1]);
  }

  /** Whether a sentinel knows so many usable replicas and other sentinels. */
  async #knows({ redis }: FleetNode, replicas: number, others: number): Promise<boolean> {
    const usable = async (what: 'REPLICAS' | 'SENTINELS') =>
      ((await redis.call('SENTINEL', what, name)) as string[][]).filter(
        (fields) => !/down|disconnected/.test(fields[fields.indexOf('flags') + 1] as string),
      ).length;
    return (await usable('REPLICAS')) >= replicas && (await usable('SENTINELS')) >= others;
  }

  #at(wanted: number | undefined): FleetNode {
    const node = this.nodes.find(({ port }) => port === wanted);
    if (node === undefined) throw new Error(`no server of this group has the port ${wanted}`);
    return node;
  }
}

/**
 * Has a sentinel look more often than every 1 to 10 s. Redis 6.2 can't: there, everything takes longer. The period of
 * PINGs stays: a replica whose INFO is older than five of them is not promoted, and INFO then comes every second.
 */
async function hurry({ redis }: FleetNode): Promise<void> {
  const periods = ['INFO-PERIOD', 200, 'PUBLISH-PERIOD', 200, 'ASK-PERIOD', 200];
  await redis.call('SENTINEL', 'DEBUG', ...periods).catch(() => {});
}

const running = (nodes: readonly FleetNode[]) => nodes.filter(({ isRunning }) => isRunning);

const inStep = async (nodes: readonly FleetNode[]) => {
  const states = await Promise.all(nodes.map(replicationOf));
  return states.every(({ isLinked }) => isLinked) && areInStep(states);
};
