import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { keysOf, type SemaphoreKeys } from '../../src/redis/keys.ts';
import { type RedisCluster, startCluster } from '../../support/redis/cluster.ts';
import { eventually } from '../../support/redis/eventually.ts';
import type { FleetNode } from '../../support/redis/fleet.ts';
import { type SentinelGroup, startSentinel } from '../../support/redis/sentinel.ts';
import type { FaultKind } from './fault-kinds.ts';
import { nowUs } from './history.ts';
import type { PlannedFault } from './schedule.ts';
import { commonMakers } from './server-faults.ts';
import type { FaultOutcome, Maker, Target } from './target.ts';
import type { Address, Detours, Way } from './way.ts';

/** What is asked of a Sentinel group and of a Cluster alike: one of their servers has the semaphore, others follow it. */
interface Fleet {
  readonly kind: 'sentinel' | 'cluster';
  readonly description: string;
  /** Servers and sentinels. */
  readonly all: readonly FleetNode[];
  readonly servers: readonly FleetNode[];
  primary(): Promise<FleetNode>;
  holdReplication(): Promise<() => Promise<void>>;
  healthy(): Promise<void>;
  /** Without anybody being killed. */
  readonly makers: Partial<Record<FaultKind, (forMs: number) => Promise<unknown>>>;
  way(detours: Detours): Way;
  stop(): Promise<void>;
}

/** How long a fleet must have been in health to count as settled: an election that was under way would be seen. */
const settleMs = 700;

/** Servers of which another takes over when one dies, hangs, or is told to. */
export class FleetTarget implements Target {
  readonly kind;
  readonly description: string;
  readonly addresses: readonly Address[];
  readonly makers: Readonly<Partial<Record<FaultKind, Maker>>>;
  readonly impossible = new Map<FaultKind, string>();
  readonly #fleet: Fleet;

  private constructor(fleet: Fleet) {
    this.#fleet = fleet;
    this.kind = fleet.kind;
    this.description = fleet.description;
    this.addresses = fleet.all.map(({ port }) => ({ host: '127.0.0.1', port }));
    const onPrimary = commonMakers(async () => [await this.primary()]);
    const onAll = commonMakers(async () => fleet.servers.map(({ redis }) => redis));
    const planned = Object.entries(fleet.makers).map(([kind, make]) => [
      kind,
      ({ forMs }: PlannedFault) => this.#settled(() => make(forMs).then(() => undefined)),
    ]);
    this.makers = {
      ...onPrimary,
      'kill-clients': onAll['kill-clients'] as Maker,
      'kill-subscribers': onAll['kill-subscribers'] as Maker,
      'script-flush': onAll['script-flush'] as Maker,
      'kill-primary': ({ forMs }) => this.#kill({ behindMs: 0, awayMs: forMs }),
      'kill-behind': ({ forMs }) => this.#kill({ behindMs: forMs, awayMs: 0 }),
      'freeze-primary': ({ forMs }) => this.#freeze(forMs),
      ...Object.fromEntries(planned),
    };
  }

  /** @throws where there is no redis-server that can be started several times */
  static async start(kind: 'sentinel' | 'cluster', semaphore: { prefix: string; name: string }) {
    const keys = keysOf(semaphore.prefix, semaphore.name);
    return new FleetTarget(
      kind === 'sentinel' ? guarded(await startSentinel()) : clustered(await startCluster(), keys),
    );
  }

  way(detours: Detours): Way {
    return this.#fleet.way(detours);
  }

  async primary(): Promise<Redis> {
    return (await this.#fleet.primary()).redis;
  }

  stop(): Promise<void> {
    return this.#fleet.stop();
  }

  async #kill({ behindMs, awayMs }: { behindMs: number; awayMs: number }): Promise<FaultOutcome | undefined> {
    const victim = await this.#fleet.primary();
    return this.#settled(async () => {
      const goOn = behindMs > 0 ? await this.#fleet.holdReplication() : undefined;
      await sleep(behindMs);
      await victim.kill();
      await goOn?.();
      try {
        return await this.#takenOver(victim);
      } finally {
        await sleep(awayMs);
        await victim.restart();
      }
    });
  }

  async #freeze(forMs: number): Promise<FaultOutcome | undefined> {
    const victim = await this.#fleet.primary();
    return this.#settled(async () => {
      victim.pause();
      const taken = this.#takenOver(victim).catch(() => undefined);
      try {
        await sleep(forMs);
      } finally {
        victim.resume();
      }
      return Promise.race([taken, sleep(settleMs, undefined)]);
    });
  }

  async #takenOver(victim: FleetNode): Promise<FaultOutcome> {
    await eventually('another server takes over', async () => (await this.#fleet.primary()) !== victim);
    return { servedAt: nowUs() };
  }

  /** The fault ends when the fleet is in health, and stays so. */
  async #settled(make: () => Promise<FaultOutcome | undefined>): Promise<FaultOutcome | undefined> {
    const outcome = await make();
    for (;;) {
      await this.#fleet.healthy();
      const before = await this.#fleet.primary();
      await sleep(settleMs);
      await this.#fleet.healthy();
      if ((await this.#fleet.primary()) === before) return outcome;
    }
  }
}

function guarded(group: SentinelGroup): Fleet {
  return {
    kind: 'sentinel',
    description: group.description,
    all: [...group.nodes, ...group.sentinels],
    servers: group.nodes,
    primary: () => group.primary(),
    holdReplication: () => group.holdReplication(),
    healthy: () => group.healthy(),
    // Sentinels refuse it while no replica of theirs looks fit.
    makers: { failover: () => eventually('a failover', () => group.failover()) },
    way: (detours) => ({ kind: 'sentinel', sentinels: group.addresses, name: group.name, detours }),
    stop: () => group.stop(),
  };
}

function clustered(cluster: RedisCluster, keys: SemaphoreKeys): Fleet {
  const primary = () => cluster.ownerOf(keys.state);
  return {
    kind: 'cluster',
    description: cluster.description,
    all: cluster.nodes,
    servers: cluster.nodes,
    primary,
    holdReplication: async () => cluster.holdReplication(await primary()),
    healthy: () => cluster.healthy(),
    makers: {
      'planned-failover': async () => cluster.failover(await primary()),
      'move-slot': (forMs) => moveSlot(cluster, keys, forMs),
    },
    way: (detours) => ({ kind: 'cluster', nodes: cluster.startupNodes, detours }),
    stop: () => cluster.stop(),
  };
}

/** Key by key, with pauses: workers call while all keys are at the old node, while they are parted, and at the new one. */
async function moveSlot(cluster: RedisCluster, keys: SemaphoreKeys, forMs: number): Promise<void> {
  const move = await cluster.beginMove(
    keys.state,
    await anotherPrimary(cluster, await cluster.ownerOf(keys.state)),
  );
  const names = Object.values(keys);
  for (const key of names) {
    await sleep(forMs / (names.length + 1));
    await move.moveKeys([key]);
  }
  await sleep(forMs / (names.length + 1));
  await move.finish();
}

async function anotherPrimary(cluster: RedisCluster, than: FleetNode): Promise<FleetNode> {
  for (const key of 'abcdefghijklmnop') {
    const owner = await cluster.ownerOf(key);
    if (owner !== than) return owner;
  }
  throw new Error('there is one primary only');
}
