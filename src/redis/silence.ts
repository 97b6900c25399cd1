import type { Socket } from 'node:net';
import type { IoredisLike } from './ioredis-like.ts';

/** For how long a server may say nothing to a new connection, ms. */
export const greetingMs = 2_000;

/** Watches whether anything is heard on a connection. */
export interface SilenceWatch {
  /** Gives the socket up if nothing was heard on it for so long, ms. */
  suspect(forMs: number): void;
  stop(): void;
}

/**
 * Gives up a socket that is dead and does not know it: its other end hangs, or is gone without a word. ioredis then opens
 * another one, asks Sentinel where to, and sends again what was under way.
 *
 * A new socket is given up by itself if the server does not greet: a machine that hangs accepts connections nevertheless,
 * and ioredis would wait for ever.
 */
export function watchSilence(redis: IoredisLike): SilenceWatch {
  const inside = redis as { stream?: Socket };
  let socket: Socket | undefined;
  let heardAtMs = Number.NEGATIVE_INFINITY;
  let isGreeted = false;
  let timer: NodeJS.Timeout | undefined;
  const hear = () => {
    heardAtMs = performance.now();
    isGreeted = true;
  };
  const watch = () => {
    heardAtMs = performance.now();
    isGreeted = false;
    socket?.off('data', hear);
    socket = inside.stream;
    socket?.on('data', hear);
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (redis.status === 'connect' && !isGreeted) {
        socket?.destroy();
      }
    }, greetingMs).unref();
  };
  redis.on('connect', watch);
  if (redis.status === 'connect' || redis.status === 'ready') {
    watch();
  }
  return {
    suspect(forMs) {
      if (performance.now() - heardAtMs > forMs) {
        socket?.destroy();
      }
    },
    stop() {
      redis.off('connect', watch);
      socket?.off('data', hear);
      clearTimeout(timer);
    },
  };
}
