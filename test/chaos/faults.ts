import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import * as scripts from '../../src/redis/lua.generated.ts';
import type { Crew } from './crew.ts';
import type { FaultKind } from './fault-kinds.ts';
import type { Proxies } from './proxies.ts';
import type { PlannedFault } from './schedule.ts';
import type { FaultOutcome, Target } from './target.ts';

/** What faults are made with. */
export interface Scene {
  readonly target: Target;
  readonly crew: Crew;
  /** Between each worker's place and the target. */
  readonly proxies: readonly Proxies[];
  resize(limit: number): Promise<void>;
}

/** Makes a fault; resolves with its end. */
export async function makeFault(scene: Scene, fault: PlannedFault): Promise<FaultOutcome | undefined> {
  const byTarget = scene.target.makers[fault.kind];
  if (byTarget !== undefined) return byTarget(fault);
  await makers[fault.kind]?.(scene, fault);
  return undefined;
}

/** Faults that are the same wherever Redis is. Those of its servers are the target's. */
const makers: Partial<Record<FaultKind, (scene: Scene, fault: PlannedFault) => Promise<unknown>>> = {
  kill: ({ crew }, { slot }) => crew.replace(slot as number),
  stop: ({ crew }, { slot, forMs }) => stopProcess(crew.pidOf(slot as number), forMs),
  async block({ crew }, { slot, forMs }) {
    crew.tell(slot as number, { do: 'block', ms: forMs });
    await sleep(forMs);
  },
  cut: async (scene, { slot }) => proxiesOf(scene, slot).cut(),
  async away(scene, { slot, forMs }) {
    const proxy = proxiesOf(scene, slot);
    proxy.goAway();
    await sleep(forMs);
    proxy.resume();
  },
  'silent-requests': (scene, fault) => silence(proxiesOf(scene, fault.slot), 'requests', fault.forMs),
  'silent-replies': (scene, fault) => silence(proxiesOf(scene, fault.slot), 'replies', fault.forMs),
  async 'silent-messages'(scene, { slot, forMs }) {
    const subscribers = proxiesOf(scene, slot).connectionsOf('parkade-subscriber');
    for (const subscriber of subscribers) subscriber.swallow('replies');
    await sleep(forMs);
    for (const subscriber of subscribers) subscriber.cut();
  },
  async 'held-requests'(scene, { slot, forMs }) {
    const proxy = proxiesOf(scene, slot);
    proxy.hold('requests');
    await sleep(forMs);
    proxy.resume();
  },
  async 'held-replies'(scene, { slot, forMs }) {
    const proxy = proxiesOf(scene, slot);
    proxy.hold('replies');
    await sleep(forMs);
    proxy.resume();
  },
  async 'slow-replies'(scene, { slot, forMs, value = 0 }) {
    const proxy = proxiesOf(scene, slot);
    proxy.delay('replies', 20 + value);
    await sleep(forMs);
    proxy.resume();
  },
  async 'lost-reply'(scene, { slot, value = 0 }) {
    const wanted = losable[value % losable.length] as string;
    // It may take a while until there is such a request; a beat comes in any case.
    const proxy = proxiesOf(scene, slot);
    const sprung = proxy.dropReplyTo(wanted);
    await Promise.race([sprung, sleep(1_000).then(() => proxy.dropReplyTo('evalsha'))]);
    proxy.disarm();
  },
  resize: (scene, { value = 1 }) => scene.resize(value),
};

// Of what is called all the time, so that it happens soon.
const losable = [scripts.acquireScript, scripts.releaseScript, scripts.beatScript].map(({ sha }) => sha);

function proxiesOf({ proxies }: Scene, slot: number | undefined): Proxies {
  return proxies[slot as number] as Proxies;
}

/** Bytes that are lost in the middle of a connection never come back, so it ends with the silence. */
async function silence(proxy: Proxies, direction: 'requests' | 'replies', forMs: number): Promise<void> {
  proxy.swallow(direction);
  await sleep(forMs);
  proxy.cut();
  proxy.resume();
}

/** By a process of its own, so that what is stopped goes on also if the supervisor ends in between. */
export async function stopProcess(pid: number, forMs: number): Promise<undefined> {
  const script = 'kill -STOP "$0"; sleep "$1"; kill -CONT "$0"';
  const args = ['-c', script, `${pid}`, `${forMs / 1_000}`];
  await once(spawn('sh', args, { stdio: 'ignore', detached: true }), 'exit');
}
