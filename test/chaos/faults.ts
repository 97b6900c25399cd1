import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { SemaphoreClient } from '../../src/index.ts';
import * as scripts from '../../src/redis/lua.generated.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import type { Crew } from './crew.ts';
import type { FaultKind } from './fault-kinds.ts';
import type { PlannedFault } from './schedule.ts';
import type { Target } from './target.ts';

/** What faults are made with. */
export interface Scene {
  readonly target: Target;
  readonly crew: Crew;
  /** One for each worker's place, between it and the target. */
  readonly proxies: readonly FaultProxy[];
  /** A connection of the supervisor's own, past the proxies. */
  readonly redis: Redis;
  readonly client: SemaphoreClient;
  resize(limit: number): Promise<void>;
}

/** Makes a fault; resolves with its end. */
export const makers: Record<FaultKind, (scene: Scene, fault: PlannedFault) => Promise<unknown>> = {
  kill: ({ crew }, { slot }) => crew.replace(slot as number),
  stop: ({ crew }, { slot, forMs }) => stopProcess(crew.pidOf(slot as number), forMs),
  async block({ crew }, { slot, forMs }) {
    crew.tell(slot as number, { do: 'block', ms: forMs });
    await sleep(forMs);
  },
  cut: async (scene, { slot }) => proxyOf(scene, slot).cut(),
  async away(scene, { slot, forMs }) {
    const proxy = proxyOf(scene, slot);
    proxy.goAway();
    await sleep(forMs);
    proxy.resume();
  },
  'silent-requests': (scene, fault) => silence(proxyOf(scene, fault.slot), 'requests', fault.forMs),
  'silent-replies': (scene, fault) => silence(proxyOf(scene, fault.slot), 'replies', fault.forMs),
  async 'silent-messages'(scene, { slot, forMs }) {
    const subscriber = proxyOf(scene, slot).connectionOf('parkade-subscriber');
    subscriber?.swallow('replies');
    await sleep(forMs);
    subscriber?.cut();
  },
  async 'held-requests'(scene, { slot, forMs }) {
    const proxy = proxyOf(scene, slot);
    proxy.hold('requests');
    await sleep(forMs);
    proxy.resume();
  },
  async 'held-replies'(scene, { slot, forMs }) {
    const proxy = proxyOf(scene, slot);
    proxy.hold('replies');
    await sleep(forMs);
    proxy.resume();
  },
  async 'slow-replies'(scene, { slot, forMs, value = 0 }) {
    const proxy = proxyOf(scene, slot);
    proxy.delay('replies', 20 + value);
    await sleep(forMs);
    proxy.resume();
  },
  async 'lost-reply'(scene, { slot, value = 0 }) {
    const wanted = losable[value % losable.length] as string;
    // It may take a while until there is such a request; a beat comes in any case.
    const proxy = proxyOf(scene, slot);
    const sprung = proxy.dropReplyTo(wanted);
    await Promise.race([sprung, sleep(1_000).then(() => proxy.dropReplyTo('evalsha'))]);
  },
  'kill-clients': ({ redis }) => redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
  'kill-subscribers': ({ redis }) => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'yes'),
  'script-flush': ({ redis }) => redis.call('SCRIPT', 'FLUSH'),
  freeze: ({ target }, { forMs }) => stopProcess(target.pid() as number, forMs),
  restart: ({ target }, { forMs }) => target.restart({ keep: true, graceful: true, awayMs: forMs }),
  crash: ({ target }, { forMs }) => target.restart({ keep: true, graceful: false, awayMs: forMs }),
  forget: ({ target }, { forMs }) => target.restart({ keep: false, graceful: true, awayMs: forMs }),
  flush: ({ redis }) => redis.flushall(),
  resize: (scene, { value = 1 }) => scene.resize(value),
  'clock-forward': async ({ target }, { value = 0 }) => target.shiftClock(value),
  'clock-back': async ({ target }, { value = 0 }) => target.shiftClock(-value),
};

// Of what is called all the time, so that it happens soon.
const losable = [scripts.acquireScript, scripts.releaseScript, scripts.beatScript].map(({ sha }) => sha);

function proxyOf({ proxies }: Scene, slot: number | undefined): FaultProxy {
  return proxies[slot as number] as FaultProxy;
}

/** Bytes that are lost in the middle of a connection never come back, so it ends with the silence. */
async function silence(proxy: FaultProxy, direction: 'requests' | 'replies', forMs: number): Promise<void> {
  proxy.swallow(direction);
  await sleep(forMs);
  proxy.cut();
  proxy.resume();
}

/** By a process of its own, so that what is stopped goes on also if the supervisor ends in between. */
async function stopProcess(pid: number, forMs: number): Promise<void> {
  const script = 'kill -STOP "$0"; sleep "$1"; kill -CONT "$0"';
  const args = ['-c', script, `${pid}`, `${forMs / 1_000}`];
  await once(spawn('sh', args, { stdio: 'ignore', detached: true }), 'exit');
}
