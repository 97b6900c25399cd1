import { type Permit, SemaphoreClient, type SemaphoreSnapshot } from '../../src/index.ts';
import { keysOf } from '../../src/redis/keys.ts';
import type { FleetNode } from '../../support/redis/fleet.ts';
import { uniquePrefix } from '../support/redis.ts';
import { timed, until, watch } from '../support/until.ts';
import { type Connection, countSubscribers, type IoredisVersion, listenersOf } from './connections.ts';
import { Traffic } from './traffic.ts';

/** A group of servers of which one can fail. */
export interface Stage {
  readonly nodes: readonly FleetNode[];
  connect(version: IoredisVersion): Connection;
  primaryOf(key: string): Promise<FleetNode>;
  synced(): Promise<void>;
  healthy(): Promise<void>;
}

export interface Fault {
  strike(victim: FleetNode): Promise<void>;
  /** When another one has taken over. */
  mend(victim: FleetNode): Promise<void>;
}

/** What was seen, before, during and after. Times are `performance.now()`. */
export interface Outcome {
  readonly struckAtMs: number;
  /** When another primary served. */
  readonly replacedAtMs: number;
  /** Who was served, of waiters 0 to 5 of two clients in turn, in this order. */
  readonly served: readonly number[];
  /** What releasing the permit answered for which they waited, in the middle of the outage. */
  readonly handedOver: boolean;
  readonly held: { readonly isHeld: boolean; readonly aborted: boolean; readonly released: boolean };
  readonly timedOut: { readonly reason: unknown; readonly tookMs: number };
  /** On the primary that fails: a semaphore of one unit, and one of three. */
  readonly single: Traffic;
  readonly several: Traffic;
  /** On another primary, where there is one. */
  readonly elsewhere: Traffic | undefined;
  readonly left: readonly SemaphoreSnapshot[];
  /** Rejections that nobody handled, and errors thrown out of timers and sockets. */
  readonly strays: readonly unknown[];
  readonly listeners: { readonly before: object; readonly after: object };
  readonly subscribersLeft: number;
}

export const presenceMs = 1_500;

/** Longer than any outage. */
const leaseMs = 7_000;

/**
 * Waits, holds and hands off on one primary, has that fail in the middle of it, and goes on until all that waited was
 * served. One client uses ioredis 6, the other one 5.
 */
export async function play(stage: Stage, fault: Fault): Promise<Outcome> {
  const strays: unknown[] = [];
  const note = (error: unknown) => strays.push(error);
  process.on('unhandledRejection', note).on('uncaughtException', note);
  const cleaning: (() => unknown)[] = [];
  try {
    return { ...(await playScenes(stage, fault, cleaning)), strays };
  } finally {
    // After a failure too: what goes on would disturb what comes next.
    for (const clean of cleaning.reverse()) await clean();
    process.off('unhandledRejection', note).off('uncaughtException', note);
  }
}

async function playScenes(
  stage: Stage,
  fault: Fault,
  cleaning: (() => unknown)[],
): Promise<Omit<Outcome, 'strays'>> {
  const connections = [stage.connect(6), stage.connect(5)] as const;
  cleaning.push(() => connections.map((connection) => connection.disconnect()));
  await Promise.all(connections.map((connection) => connection.ping()));
  const before = connections.map(listenersOf);
  const prefix = uniquePrefix();
  const [one, two] = [openClient(connections[0], prefix), openClient(connections[1], prefix)];
  cleaning.push(() => Promise.all([one.close(), two.close()]));
  const { victim, names, other } = await cast(stage, prefix);

  const single = new Traffic([one, two], names.single, 1, 2);
  const several = new Traffic([one, two], names.several, 3, 4);
  const elsewhere = other === undefined ? undefined : new Traffic([one, two], other, 2, 2);
  const endTraffic = () => [single, several, elsewhere].map((traffic) => traffic?.stop());
  cleaning.push(endTraffic);
  const held = await one.semaphore(names.held, { limit: 2, leaseMs }).acquire();
  const { first, all, served } = await formLine(one, two, names.line);
  const blocker = await one.semaphore(names.timed, { limit: 1, leaseMs }).acquire();
  await several.growsBy(30);
  await stage.synced();

  await fault.strike(victim);
  let isMended = false;
  cleaning.push(() => isMended || fault.mend(victim));
  const struckAtMs = performance.now();
  const handOver = first.release();
  const late = two.semaphore(names.timed, { limit: 1 }).acquire({ timeoutMs: 600 });
  const lateOutcome = watch(late);
  const tookMs = await timed(late);
  const isReplaced = async () => (await stage.primaryOf(names.key)) !== victim;
  await until('another primary serves', () => isReplaced().catch(() => false), 30_000);
  const replacedAtMs = performance.now();
  const handedOver = await within('the release is heard', handOver);
  await within('all that waited are served', Promise.all(all));
  await Promise.all([single, several].map((traffic) => traffic.growsBy(30)));

  await fault.mend(victim);
  isMended = true;
  await stage.healthy();
  await Promise.all([single, several].map((traffic) => traffic.growsBy(30)));
  const heldAfter = { isHeld: held.isHeld, aborted: held.signal.aborted };
  const released = await within('what was held is released', held.release());
  await within('the blocker is released', blocker.release());
  await within('the traffic ends', Promise.all(endTraffic()));
  const { single: alone, several: crowd, held: kept, line, timed: tight } = names;
  const left = await leftOver(two, { [alone]: 1, [crowd]: 3, [kept]: 2, [line]: 1, [tight]: 1 });

  await Promise.all([one.close(), two.close()]);
  const after = connections.map(listenersOf);
  const subscribersLeft = await fewestSubscribers(stage.nodes);
  return {
    struckAtMs,
    replacedAtMs,
    served,
    handedOver,
    held: { ...heldAfter, released },
    timedOut: { reason: lateOutcome.reason, tookMs },
    single,
    several,
    elsewhere,
    left,
    listeners: { before, after },
    subscribersLeft,
  };
}

/** @throws after 20 s, naming what was waited for */
async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  const outcome = watch(promise);
  await until(what, () => outcome.state !== 'pending', 20_000);
  return promise;
}

function openClient(connection: Connection, prefix: string): SemaphoreClient {
  const times = { presenceMs, attemptTimeoutMs: 1_000, unavailableAfterMs: 15_000 };
  const client = new SemaphoreClient(connection, { prefix, label: 'outage', ...times });
  client.on('error', () => {});
  return client;
}

/** Finds names for all parts on one primary, and one for elsewhere. */
async function cast(stage: Stage, prefix: string) {
  const keyOf = (name: string) => keysOf(prefix, name).state;
  const victim = await stage.primaryOf(keyOf('0'));
  const here: string[] = [];
  let other: string | undefined;
  for (let i = 0; here.length < 5; i++) {
    if ((await stage.primaryOf(keyOf(`${i}`))) === victim) here.push(`${i}`);
    else other ??= `${i}`;
  }
  const [single = '', several = '', held = '', line = '', timed = ''] = here;
  return { victim, other, names: { single, several, held, line, timed, key: keyOf('0') } };
}

/** One holds the only unit, and six of two clients wait in turn; each releases when it was served. */
async function formLine(one: SemaphoreClient, two: SemaphoreClient, name: string) {
  const first = await one.semaphore(name, { limit: 1, leaseMs }).acquire();
  const served: number[] = [];
  const all: Promise<boolean>[] = [];
  for (let i = 0; i < 6; i++) {
    const request = (i % 2 === 0 ? two : one).semaphore(name, { limit: 1 }).acquire();
    all.push(
      request.then((permit: Permit) => {
        served.push(i);
        return permit.release();
      }),
    );
    await until('it is in line', async () => (await one.inspect(name)).waiting === i + 1);
  }
  return { first, all, served };
}

/**
 * What is held and who waits when all is over, and a newcomer has come and gone. A release that the old primary heard may
 * be lost with it; then the lease ends what was released already, and a newcomer finds the line abandoned.
 */
function leftOver(client: SemaphoreClient, limits: Record<string, number>): Promise<SemaphoreSnapshot[]> {
  return Promise.all(
    Object.entries(limits).map(async ([name, limit]) => {
      const newcomer = () => client.semaphore(name, { limit }).tryAcquire({ weight: limit });
      const permit = await until('a newcomer is served', newcomer, leaseMs + 2 * presenceMs).catch(() => {});
      await permit?.release();
      return client.inspect(name);
    }),
  );
}

/** A server notices the end of a connection a moment later. */
async function fewestSubscribers(nodes: readonly FleetNode[]): Promise<number> {
  const none = async () => (await countSubscribers(nodes)) === 0;
  await until('no subscriber is left', none, 2_000).catch(() => {});
  return countSubscribers(nodes);
}
