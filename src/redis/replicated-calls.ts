import type { ScriptCalls } from './connection.ts';
import { type ClusterLike, type IoredisLike, isCluster } from './ioredis-like.ts';
import { ReplicaRounds } from './replica-rounds.ts';
import { slotOf } from './slot.ts';

/** Where the calls for some keys go. */
interface Target {
  /** Of the node, on a Cluster. */
  readonly address: string;
  readonly keyPrefix: string;
  open(overrides: object): IoredisLike;
}

/**
 * Script calls that resolve with a `Replied`. They go over connections of their
 * own, opened when first asked for: one for each number of replicas that is waited for, since whoever waits in vain
 * for two must not hold up who waits for one; on a Cluster, one to each node that has such a semaphore.
 */
export class ReplicatedCalls {
  readonly #redis: IoredisLike;
  readonly #rounds = new Map<string, ReplicaRounds>();

  constructor(redis: IoredisLike) {
    this.#redis = redis;
  }

  /** @param forMs how long to wait for the replicas, in all */
  of(replicas: number, forMs: number): ScriptCalls {
    const call =
      (command: 'evalsha' | 'eval') =>
      async (script: string, keys: readonly string[], args: readonly (string | number)[]) => {
        const target = this.#targetOf(keys);
        const prefixed = keys.map((key) => target.keyPrefix + key);
        const send = (redis: IoredisLike) => redis[command](script, keys.length, ...prefixed, ...args);
        try {
          return await this.#roundsAt(target, replicas).run(send, forMs);
        } catch (error) {
          this.#lookAround(error);
          throw error;
        }
      };
    return { evalsha: call('evalsha'), eval: call('eval') };
  }

  close(): void {
    for (const rounds of this.#rounds.values()) {
      rounds.close();
    }
  }

  #roundsAt(target: Target, replicas: number): ReplicaRounds {
    const key = `${replicas} ${target.address}`;
    const rounds = this.#rounds.get(key) ?? new ReplicaRounds(target.open, replicas);
    this.#rounds.set(key, rounds);
    return rounds;
  }

  #targetOf(keys: readonly string[]): Target {
    return isCluster(this.#redis)
      ? nodeOf(this.#redis, keys[0] as string)
      : { address: '', keyPrefix: '', open: (overrides) => this.#redis.duplicate(overrides) };
  }

  /** The node may have gone, or the slot: nobody else asks, since these are not the Cluster's own connections. */
  #lookAround(error: unknown): void {
    if (isCluster(this.#redis) && !(error instanceof Error && error.message.startsWith('NOSCRIPT'))) {
      this.#redis.refreshSlotsCache();
    }
  }
}

function nodeOf(cluster: ClusterLike, key: string): Target {
  const keyPrefix = cluster.options.keyPrefix ?? '';
  const address = cluster.slots[slotOf(keyPrefix + key)]?.[0];
  const node = cluster
    .nodes('all')
    .find(({ options: { host, port } }) => `${host ?? '127.0.0.1'}:${port ?? 6379}` === address);
  if (address === undefined || node === undefined) {
    throw new Error('CLUSTERDOWN nobody is known to have the slot');
  }
  return {
    address,
    keyPrefix,
    open: (overrides) => node.duplicate({ ...overrides, readOnly: false, keyPrefix: '' }),
  };
}
