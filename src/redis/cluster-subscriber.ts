import type { ClusterView } from './cluster-view.ts';
import type { Subscriber, SubscriberEvents } from './connection.ts';
import { Ear } from './ear.ts';
import { slotOf } from './slot.ts';

interface Shard {
  readonly slot: number;
  /** Who hears it. */
  ear: Ear | undefined;
  /** How often in a row it was refused where its slot was said to be. */
  refusals: number;
}

/** In place of the address of a node that is not known. */
const nowhere = '';

/** For how long a node's failures are remembered, ms: until a connection that hangs has failed. */
const forgetAfterMs = 30_000;

const pauseMs = (failures: number) =>
  Math.min(2000, 25 * 2 ** Math.min(failures, 7)) * (0.5 + Math.random() / 2);

/**
 * Hears messages on a Cluster, over connections of its own to single nodes.
 *
 * The client's own channel is a classic one. A message on it travels to every node, so one connection, to any node,
 * hears all; when that node goes, another one is taken. Besides, where the server has them (Redis 7), there is a shard
 * channel for each semaphore that is waited for, heard at the primary that has the semaphore's slot: a message on it
 * stays there. The publisher takes the classic channel whenever nobody hears the shard channel where it is
 * (`lua/shared/announce.lua`); so shard channels may fail, move and be refused, and nothing is lost but their economy.
 *
 * The libraries have all this built in (`subscribe` on a Cluster, sharded subscribers), but don't say when a channel was
 * lost and found again, which is when one has to look; and what they do when slots move differs from version to version.
 * Both on one connection would not do: when the slot of its last shard channel moves, ioredis forgets the classic one.
 */
export class ClusterSubscriber implements Subscriber {
  readonly #cluster: ClusterView;
  readonly #channel: string;
  readonly #keyPrefix: string;
  readonly #events: SubscriberEvents;
  /** Hears the client's own channel. */
  #home: Ear | undefined;
  /** Hear shard channels, by their node's address. */
  readonly #ears = new Map<string, Ear>();
  readonly #shards = new Map<string, Shard>();
  #hasShards = true;
  /**
   * Nodes to which there was no connection lately: how often in a row, and until when they are left alone, whatever else is
   * found meanwhile.
   */
  readonly #resting = new Map<string, { readonly failures: number; readonly untilMs: number }>();
  #timer: NodeJS.Timeout | undefined;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #isArranging = false;
  #isOpen = true;
  readonly #stopWatching: () => void;

  constructor(cluster: ClusterView, channel: string, events: SubscriberEvents) {
    this.#cluster = cluster;
    this.#channel = channel;
    this.#keyPrefix = cluster.keyPrefix;
    this.#events = events;
    this.#stopWatching = cluster.onChange(() => this.#arrangeAll());
    this.#arrangeAll();
  }

  hearShard(channel: string): void {
    const prefixed = this.#keyPrefix + channel; // as the keys are, from which a script makes it
    if (this.#hasShards && !this.#shards.has(prefixed)) {
      this.#shards.set(prefixed, { slot: slotOf(prefixed), ear: undefined, refusals: 0 });
      this.#arrangeSoon();
    }
  }

  leaveShard(channel: string): void {
    const prefixed = this.#keyPrefix + channel;
    this.#shards.get(prefixed)?.ear?.leave(prefixed);
    this.#shards.delete(prefixed);
    this.#arrangeSoon();
  }

  close(): void {
    this.#isOpen = false;
    this.#stopWatching();
    clearTimeout(this.#timer);
    this.#home?.close();
    for (const ear of this.#ears.values()) {
      ear.close();
    }
  }

  /** Later in this turn, when all that it asks for is known. */
  #arrangeSoon(): void {
    if (!this.#isArranging) {
      this.#isArranging = true;
      queueMicrotask(() => {
        this.#isArranging = false;
        this.#arrangeAll();
      });
    }
  }

  /** After a pause, and with a fresh look at who has which slots. */
  #arrangeIn(ms: number): void {
    const dueAtMs = performance.now() + ms;
    if (this.#isOpen && dueAtMs < this.#dueAtMs) {
      clearTimeout(this.#timer);
      this.#dueAtMs = dueAtMs;
      this.#timer = setTimeout(() => {
        this.#dueAtMs = Number.POSITIVE_INFINITY;
        this.#arrangeAll();
        this.#cluster.refresh();
      }, ms).unref();
    }
  }

  /** When one of these nodes has rested. */
  #arrangeWhenRested(addresses: Iterable<string>): void {
    const untilMs = Array.from(addresses, (address) => this.#resting.get(address)?.untilMs ?? 0);
    this.#arrangeIn(Math.max(1, Math.ceil(Math.min(...untilMs) - performance.now())));
  }

  /** Brings every channel to where it belongs; does nothing where all is well. */
  #arrangeAll(): void {
    if (this.#isOpen) {
      const nodes = new Set(this.#cluster.addresses());
      this.#arrangeHome(nodes);
      this.#arrangeShards(nodes);
    }
  }

  #arrangeHome(nodes: ReadonlySet<string>): void {
    if (this.#home !== undefined && !nodes.has(this.#home.address)) {
      this.#home.close(); // the node has left the Cluster, or hangs, and the connection does not know
      this.#home = undefined;
    }
    if (this.#home === undefined) {
      const rested = [this.#cluster.primaries(), [...nodes]]
        .map((addresses) => addresses.filter((address) => this.#isRested(address)))
        .find((addresses) => addresses.length > 0);
      const choice = rested?.[Math.floor(Math.random() * rested.length)];
      this.#home = this.#connect(choice, 'classic');
      this.#home?.join(this.#channel);
    }
    if (this.#home === undefined) {
      this.#arrangeWhenRested(nodes.size > 0 ? nodes : [nowhere]);
    }
  }

  #arrangeShards(nodes: ReadonlySet<string>): void {
    const missing = new Set<string>();
    for (const [channel, shard] of this.#shards) {
      const address = this.#cluster.primaryOf(shard.slot);
      const ear = this.#earAt(address);
      if (ear !== shard.ear) {
        shard.ear?.channels.delete(channel);
        shard.ear = ear;
        ear?.join(channel);
      }
      if (ear === undefined) {
        missing.add(address ?? nowhere);
      }
    }
    for (const [address, ear] of this.#ears) {
      if (ear.channels.size === 0 || !nodes.has(address)) {
        this.#forget(ear);
      }
    }
    if (missing.size > 0) {
      this.#arrangeWhenRested(missing);
    }
  }

  #earAt(address: string | undefined): Ear | undefined {
    const present = this.#ears.get(address ?? '');
    if (present !== undefined) {
      return present;
    }
    const ear = this.#connect(address, 'shard');
    if (ear !== undefined) {
      this.#ears.set(ear.address, ear);
    }
    return ear;
  }

  #connect(address: string | undefined, kind: 'classic' | 'shard'): Ear | undefined {
    if (!this.#isRested(address ?? nowhere)) {
      return undefined;
    }
    const open = address === undefined ? undefined : this.#cluster.receiverAt(address);
    if (address === undefined || open === undefined) {
      this.#letRest(address ?? nowhere);
      return undefined;
    }
    const ear: Ear = new Ear(address, open, kind, {
      message: (text) => this.#events.message(text),
      listening: (channel) => this.#hear(ear, channel),
      moved: (channel) => this.#move(channel),
      unsupported: (error) => this.#giveUpShards(error),
      failed: (error) => this.#giveUp(ear, error),
    });
    return ear;
  }

  #isRested(address: string): boolean {
    return performance.now() >= (this.#resting.get(address)?.untilMs ?? 0);
  }

  #letRest(address: string): void {
    const nowMs = performance.now();
    for (const [one, { untilMs }] of this.#resting) {
      if (nowMs - untilMs > forgetAfterMs) {
        this.#resting.delete(one);
      }
    }
    const failures = (this.#resting.get(address)?.failures ?? 0) + 1;
    this.#resting.set(address, { failures, untilMs: nowMs + pauseMs(failures) });
  }

  #hear({ address }: Ear, channel: string): void {
    this.#resting.delete(address);
    const shard = this.#shards.get(channel);
    if (shard !== undefined) {
      shard.refusals = 0;
    }
    this.#events.listening(channel === this.#channel ? undefined : channel.slice(this.#keyPrefix.length));
  }

  /** A node says that the slot is another one's. */
  #move(channel: string): void {
    const shard = this.#shards.get(channel);
    if (shard !== undefined) {
      shard.ear?.channels.delete(channel);
      shard.ear = undefined;
      this.#arrangeIn(pauseMs(shard.refusals++));
    }
  }

  /** All is heard at home then. */
  #giveUpShards(error: Error): void {
    this.#hasShards = false;
    this.#shards.clear();
    for (const ear of this.#ears.values()) {
      this.#forget(ear);
    }
    if (error.message.startsWith('NOPERM')) {
      this.#events.error(error);
    }
  }

  #giveUp(ear: Ear, error: Error | undefined): void {
    this.#letRest(ear.address);
    if (ear === this.#home) {
      ear.close();
      this.#home = undefined;
    } else {
      this.#forget(ear);
    }
    if (error !== undefined) {
      this.#events.error(error);
    }
    this.#arrangeIn(pauseMs(0)); // at another node, or at this one when it has rested
  }

  #forget(ear: Ear): void {
    ear.close();
    this.#ears.delete(ear.address);
    for (const channel of ear.channels) {
      const shard = this.#shards.get(channel);
      if (shard?.ear === ear) {
        shard.ear = undefined;
      }
    }
  }
}
