import type { ClusterView } from './cluster-view.ts';
import { type ClusterLike, type IoredisLike, letProcessEnd, type NodeLike } from './ioredis-like.ts';
import type { OpenReceiver } from './receiver.ts';
import { watchSilence } from './silence.ts';

/** A node's address as the slots name it. */
const addressOf = ({ options: { host, port } }: NodeLike) => `${host ?? '127.0.0.1'}:${port ?? 6379}`;

/** A Cluster of ioredis, as those see it who listen to its nodes. */
export function viewOf(cluster: ClusterLike): ClusterView {
  return {
    keyPrefix: cluster.options.keyPrefix ?? '',
    addresses: () => cluster.nodes('all').map(addressOf),
    primaries: () => cluster.nodes('master').map(addressOf),
    primaryOf: (slot) => cluster.slots[slot]?.[0],
    refresh: () => cluster.refreshSlotsCache(),
    onChange(listener) {
      cluster.on('refresh', listener);
      return () => cluster.off('refresh', listener);
    },
    receiverAt(address) {
      const node = cluster.nodes('all').find((one) => addressOf(one) === address);
      return node && receiverLike(node);
    },
  };
}

/** Listens over a connection of its own, with the Cluster's own one to that node as a model. */
function receiverLike(node: NodeLike): OpenReceiver {
  return (events) => {
    const redis = node.duplicate({
      retryStrategy: null,
      reconnectOnError: null,
      autoResubscribe: false,
      enableOfflineQueue: true,
      enableReadyCheck: false,
      maxRetriesPerRequest: null,
      lazyConnect: false,
      readOnly: false,
      keyPrefix: '',
      connectionName: 'parkade-subscriber',
    }) as NodeLike;
    letProcessEnd(redis);
    const silence = watchSilence(redis);
    for (const event of ['message', 'smessage']) {
      redis.on(event, (_channel: string, text: string) => events.message(text));
    }
    redis.on('ready', () => events.ready());
    redis.on('error', (error: Error) => events.failed(error));
    redis.on('end', () => events.failed());
    // The slot of a shard channel has moved, and nothing says which. Older versions say this by an error.
    redis.on('moved', () => events.failed());
    return {
      subscribe: (channel) => redis.subscribe(channel),
      ssubscribe: async (channel) => {
        if (redis.ssubscribe === undefined) {
          throw new Error('unknown command: this version of the library has no shard channels');
        }
        await redis.ssubscribe(channel);
      },
      sunsubscribe: async (channel) => redis.sunsubscribe?.(channel),
      close() {
        silence.stop();
        redis.disconnect();
      },
    };
  };
}

/**
 * Tells when the connection to a node of a Cluster was lost: the Cluster's own events don't. Commands that were on it
 * go out again to whoever has the slot then.
 *
 * @returns the way to stop
 */
export function watchNodes(cluster: ClusterLike, lost: () => void): () => void {
  const watched = new Set<IoredisLike>();
  const watch = (node: NodeLike) => {
    if (!watched.has(node)) {
      watched.add(node);
      letAskingFail(node);
      node.on('close', lost);
    }
  };
  const unwatch = (node: IoredisLike) => {
    watched.delete(node);
    node.off('close', lost);
  };
  cluster.on('+node', watch);
  cluster.on('-node', unwatch);
  cluster.nodes().forEach(watch);
  return () => {
    cluster.off('+node', watch);
    cluster.off('-node', unwatch);
    watched.forEach(unwatch);
  };
}

const lenient = new WeakSet<NodeLike>();

/**
 * While a slot moves, ioredis sends `ASKING` before what is redirected, and leaves its promise alone: when the connection
 * is lost just then, the rejection is unhandled, which ends the process. What came behind it is sent again in any case.
 */
function letAskingFail(node: NodeLike): void {
  const asking = node.asking;
  if (asking === undefined || lenient.has(node)) {
    return;
  }
  lenient.add(node);
  node.asking = (...args) => {
    const asked = asking.apply(node, args);
    asked.catch(() => {});
    return asked;
  };
}

/** A node that takes longer may hang, ms; and another one may have taken over. */
const suspectNodeAfterMs = 1_000;

/**
 * Has the Cluster ask who has which slots if a call is not answered in time, since a node that hangs makes no error; a
 * node that is down is left then, and what it did not answer goes to another. And if a replica answered: ioredis takes any
 * node when it has lost all primaries that it knew, and a replica refuses to write without saying where to go.
 */
export function suspectNode<T>(cluster: ClusterLike, call: Promise<T>): Promise<T> {
  const lookAround = () => cluster.refreshSlotsCache();
  const timer = setTimeout(lookAround, suspectNodeAfterMs).unref();
  call.then(
    () => clearTimeout(timer),
    (error: unknown) => {
      clearTimeout(timer);
      if (error instanceof Error && error.message.startsWith('READONLY')) {
        lookAround();
      }
    },
  );
  return call;
}
