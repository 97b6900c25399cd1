import { eventually } from './eventually.ts';
import { Fleet, type FleetNode } from './fleet.ts';
import { areInStep, holdBack, replicationOf } from './replication.ts';

export interface RedisCluster {
  /** All nodes, whatever their role is now; the first ones began as primaries. */
  readonly nodes: readonly FleetNode[];
  /** What a client is given to find the others. */
  readonly startupNodes: readonly { readonly host: string; readonly port: number }[];
  /** One line for humans: what runs, and where. */
  readonly description: string;
  /** The primary that has this key; rejects while nobody has. */
  ownerOf(key: string): Promise<FleetNode>;
  /** The running replicas of a primary. */
  replicasOf(primary: FleetNode): Promise<FleetNode[]>;
  /** A planned failover (CLUSTER FAILOVER): nothing is lost. Resolves with the new primary when it serves. */
  failover(primary: FleetNode): Promise<FleetNode>;
  /**
   * Keeps the replicas of a primary from getting what is written from now on, so that it is lost when the primary dies.
   * Resolves with the way to let replication go on, for after that.
   */
  holdReplication(primary: FleetNode): Promise<() => Promise<void>>;
  /** Moves the slot of a key, with all its keys, to another primary while clients go on. */
  moveSlotOf(key: string, to: FleetNode): Promise<void>;
  /** The same, step by step: the slot is about to move when this resolves, and its keys are all where they were. */
  beginMove(key: string, to: FleetNode): Promise<SlotMove>;
  /** Resolves when every running replica has all that its primary has acknowledged. */
  synced(): Promise<void>;
  /** Resolves when all slots are served, every running node agrees by whom, and running replicas are in step. */
  healthy(): Promise<void>;
  /** Ends all nodes and deletes their folders. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A slot on its way from one primary to another. Until it is finished, some of its keys may be here and some there. */
export interface SlotMove {
  readonly from: FleetNode;
  readonly to: FleetNode;
  /** Moves these keys, as far as they exist. */
  moveKeys(keys: readonly string[]): Promise<void>;
  /** Moves the keys that are left, and gives the slot to its new owner. */
  finish(): Promise<void>;
}

const config = {
  'cluster-enabled': 'yes',
  'cluster-config-file': 'nodes.conf',
  // A dead primary is replaced in about 2.5 s.
  'cluster-node-timeout': '1000',
  'cluster-replica-validity-factor': '0',
  'cluster-migration-barrier': '9',
  'cluster-require-full-coverage': 'no',
  'repl-diskless-sync-delay': '0',
  'repl-ping-replica-period': '1',
};

const slotCount = 16_384;

/**
 * Starts a Cluster on loopback: three primaries with one replica each, unless told otherwise.
 *
 * @throws if no redis-server can be had (see `serverProgram`), or it isn't ready within 30 s
 */
export async function startCluster({ primaries = 3, replicasEach = 1 } = {}): Promise<RedisCluster> {
  const fleet = await Fleet.open();
  try {
    const count = primaries * (1 + replicasEach);
    const nodes = await Promise.all(
      Array.from({ length: count }, (_, i) => fleet.launch({ name: `node-${i}`, config, bus: true })),
    );
    const cluster = new Cluster(fleet, nodes);
    await cluster.join(primaries);
    await cluster.healthy();
    return cluster;
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}

/** One node as another, or itself, sees it. */
interface Sight {
  readonly id: string;
  readonly port: number;
  readonly flags: readonly string[];
  readonly primaryId: string;
  readonly isLinked: boolean;
  readonly slots: readonly string[];
}

class Cluster implements RedisCluster {
  readonly nodes: readonly FleetNode[];
  readonly startupNodes: RedisCluster['startupNodes'];
  readonly description: string;
  readonly #fleet: Fleet;

  constructor(fleet: Fleet, nodes: readonly FleetNode[]) {
    this.#fleet = fleet;
    this.nodes = nodes;
    this.startupNodes = nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    this.description = `a Cluster of ${nodes.length} nodes ${fleet.program.from} at 127.0.0.1:${nodes.map(({ port }) => port).join(', ')}`;
  }

  /** Makes single nodes into a Cluster; each replica is in turn the next primary's. */
  async join(primaries: number): Promise<void> {
    const [first] = this.nodes as [FleetNode];
    await Promise.all(
      this.nodes.map(async ({ redis }, i) => {
        await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
        if (i >= primaries) return;
        const slots = Array.from({ length: slotCount }, (_, slot) => slot);
        await redis.call('CLUSTER', 'ADDSLOTS', ...slots.filter((slot) => owner(slot, primaries) === i));
      }),
    );
    for (const { port } of this.nodes.slice(1)) await first.redis.call('CLUSTER', 'MEET', '127.0.0.1', port);
    await eventually('all nodes know each other', async () => {
      const sights = await Promise.all(this.nodes.map(sightsOf));
      return sights.every((all) => all.filter(({ isLinked }) => isLinked).length === this.nodes.length);
    });
    const ids = await Promise.all(this.nodes.map(({ redis }) => redis.call('CLUSTER', 'MYID')));
    await Promise.all(
      this.nodes
        .slice(primaries)
        .map(({ redis }, i) => redis.call('CLUSTER', 'REPLICATE', String(ids[i % primaries]))),
    );
  }

  async ownerOf(key: string): Promise<FleetNode> {
    const asked = this.#running()[0] as FleetNode;
    const slot = Number(await asked.redis.call('CLUSTER', 'KEYSLOT', key));
    const owner = (await sightsOf(asked)).find(
      ({ flags, slots }) => !flags.includes('fail') && slots.some((range) => includes(range, slot)),
    );
    if (owner === undefined) throw new Error(`nobody has slot ${slot}`);
    return this.#at(owner.port);
  }

  async replicasOf(primary: FleetNode): Promise<FleetNode[]> {
    const sights = await sightsOf(this.#running()[0] as FleetNode);
    const id = sights.find(({ port }) => port === primary.port)?.id;
    return sights
      .filter(({ primaryId }) => primaryId === id)
      .map(({ port }) => this.#at(port))
      .filter(({ isRunning }) => isRunning);
  }

  async failover(primary: FleetNode): Promise<FleetNode> {
    const [heir] = await this.replicasOf(primary);
    if (heir === undefined) throw new Error(`${primary.name} has no running replica`);
    await heir.redis.call('CLUSTER', 'FAILOVER');
    await eventually('the replica is the primary', async () => (await roleOf(heir)) === 'master');
    return heir;
  }

  async holdReplication(primary: FleetNode): Promise<() => Promise<void>> {
    return holdBack(primary, await this.replicasOf(primary));
  }

  async moveSlotOf(key: string, to: FleetNode): Promise<void> {
    if ((await this.ownerOf(key)) !== to) await (await this.beginMove(key, to)).finish();
  }

  async beginMove(key: string, to: FleetNode): Promise<SlotMove> {
    const from = await this.ownerOf(key);
    const slot = Number(await from.redis.call('CLUSTER', 'KEYSLOT', key));
    const [fromId, toId] = await Promise.all([from, to].map(({ redis }) => redis.call('CLUSTER', 'MYID')));
    await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(fromId));
    await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(toId));
    const moveKeys = async (keys: readonly string[]) => {
      await from.redis.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
    };
    return {
      from,
      to,
      moveKeys,
      async finish() {
        for (;;) {
          const keys = (await from.redis.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
          if (keys.length === 0) break;
          await moveKeys(keys);
        }
        // The new owner first, so that no time is left in which nobody has it.
        for (const { redis } of [to, from]) {
          await redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(toId));
        }
      },
    };
  }

  async synced(): Promise<void> {
    await eventually('replicas are in step', async () => {
      return areInStep(await Promise.all(this.#running().map(replicationOf)));
    });
  }

  async healthy(): Promise<void> {
    await eventually('the Cluster is healthy', async () => {
      const running = this.#running();
      const [infos, states, sights] = await Promise.all([
        Promise.all(running.map(replicationOf)),
        Promise.all(running.map(({ redis }) => redis.call('CLUSTER', 'INFO'))),
        Promise.all(running.map(sightsOf)),
      ]);
      const ports = new Set(running.map(({ port }) => port));
      const maps = sights.map((all) =>
        all
          .filter(({ port }) => ports.has(port))
          .map(({ port, flags, isLinked, slots }) => `${port} ${flags.join()} ${isLinked} ${slots.join()}`)
          .sort()
          .join('\n'),
      );
      return (
        states.every(
          (text) => String(text).includes('cluster_state:ok') && String(text).includes('slots_ok:16384'),
        ) &&
        new Set(maps).size === 1 &&
        !/fail|handshake|false/.test(maps[0] ?? '') &&
        infos.every(({ isLinked }) => isLinked) &&
        areInStep(infos)
      );
    });
  }

  stop(): Promise<void> {
    return this.#fleet.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #running(): FleetNode[] {
    return this.nodes.filter(({ isRunning }) => isRunning);
  }

  #at(wanted: number): FleetNode {
    const node = this.nodes.find(({ port }) => port === wanted);
    if (node === undefined) throw new Error(`no node of this Cluster has the port ${wanted}`);
    return node;
  }
}

const owner = (slot: number, primaries: number) => Math.floor((slot * primaries) / slotCount);

/** All nodes, as one of them sees them. */
async function sightsOf({ redis }: FleetNode): Promise<Sight[]> {
  const text = String(await redis.call('CLUSTER', 'NODES'));
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [id = '', address = '', flags = '', primaryId = '', , , , link, ...slots] = line.split(' ');
      return {
        id,
        port: Number(/:(\d+)/.exec(address)?.[1]),
        flags: flags.split(',').filter((flag) => flag !== 'myself'),
        primaryId,
        isLinked: link === 'connected',
        slots: slots.filter((range) => !range.startsWith('[')),
      };
    });
}

function includes(range: string, slot: number): boolean {
  const [first, last = first] = range.split('-').map(Number);
  return slot >= (first as number) && slot <= (last as number);
}

async function roleOf({ redis }: FleetNode): Promise<string> {
  return ((await redis.call('ROLE')) as string[])[0] as string;
}
