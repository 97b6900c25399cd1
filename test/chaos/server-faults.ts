import type { Redis } from 'ioredis';
import type { FaultKind } from './fault-kinds.ts';
import type { Maker } from './target.ts';

/** What is done to servers by commands, at each of those given. */
export function commonMakers(servers: () => Promise<readonly Redis[]>): Partial<Record<FaultKind, Maker>> {
  const tell =
    (command: string, ...args: string[]): Maker =>
    async () => {
      await Promise.all((await servers()).map((redis) => redis.call(command, ...args)));
      return undefined;
    };
  return {
    'kill-clients': tell('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
    'kill-subscribers': tell('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'yes'),
    'script-flush': tell('SCRIPT', 'FLUSH'),
    flush: tell('FLUSHALL'),
  };
}
