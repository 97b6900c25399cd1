import type { NodeRedis, NodeRedisClient } from './node-redis-like.ts';
import { greetingMs } from './silence.ts';

export interface OnceEvents {
  ready(): void;
  /** It is of no use any more, and was destroyed; said once. */
  failed(error?: Error): void;
}

/** For a client that is opened by `openOnce`: no attempts of its own, and no name of the caller's. */
export const onceOptions = {
  disableOfflineQueue: false,
  pingInterval: 0,
  readonly: false,
  clientSideCache: undefined,
  emitInvalidate: false,
  maintNotifications: 'disabled',
  commandOptions: {},
} as const;

/**
 * Connects a client of node-redis that is given up, not mended, when anything happens to it. So it is always known
 * what was lost: by itself, the library connects again without saying when messages were missed; its timer keeps the
 * process alive meanwhile; and it waits for ever for a server that accepts connections and does not greet.
 *
 * @param patienceMs how long it may take from its first event to being ready
 * @returns the way to give it up
 */
export function openOnce(client: NodeRedis, events: OnceEvents, patienceMs = greetingMs): () => void {
  let state: 'opening' | 'ready' | 'over' = 'opening';
  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    state = 'over';
    clearTimeout(timer);
    destroy(client);
  };
  const fail = (error?: Error) => {
    if (state !== 'over') {
      end();
      events.failed(error);
    }
  };
  client.on('connect', () => {
    timer ??= setTimeout(
      () => state === 'opening' && fail(new Error(`no greeting within ${patienceMs} ms`)),
      patienceMs,
    ).unref();
  });
  client.on('error', (error: unknown) => {
    if (state === 'ready') {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  });
  client.on('end', () => state === 'ready' && fail());
  // A client that was destroyed while its socket was being opened opens it all the same.
  client.on('ready', () => state === 'over' && destroy(client));
  client.connect().then(
    () => {
      if (state === 'opening') {
        state = 'ready';
        clearTimeout(timer);
        events.ready();
      }
    },
    (error: Error) => fail(error),
  );
  return end;
}

/** Lets the process end although the client is open. */
export function letProcessEnd(client: NodeRedis): void {
  (client as Partial<NodeRedisClient>).unref?.();
}

function destroy(client: NodeRedis): void {
  // A Sentinel's is asynchronous.
  void Promise.resolve()
    .then(() => client.destroy())
    .catch(() => {});
}
