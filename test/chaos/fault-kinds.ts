import type { TargetKind } from './target.ts';

/** What can happen in a chaos run, and to whom. */
export interface FaultTraits {
  /** `worker`: to one process or its connections; `server`: to Redis, and so to all. */
  readonly strikes: 'worker' | 'server';
  /** How long it lasts, ms: drawn between the two. */
  readonly forMs: readonly [number, number];
  /** How often it is drawn, relative to the others. */
  readonly share: number;
  /** Takes Redis away, so everybody has to connect again. */
  readonly cutsAll?: boolean;
  /** Where it can be made; everywhere, if nothing is said. */
  readonly on?: readonly TargetKind[];
  /** Whether what Redis has acknowledged may be gone afterwards: all of it, or the latest. */
  readonly loses?: 'all' | 'latest';
  readonly text: string;
}

const standalone = ['standalone'] as const;
const fleets = ['sentinel', 'cluster'] as const;

export const faultKinds = {
  kill: { strikes: 'worker', forMs: [0, 0], share: 3, text: 'a worker is killed, another comes' },
  stop: { strikes: 'worker', forMs: [100, 4_000], share: 3, text: 'SIGSTOP, then SIGCONT' },
  block: { strikes: 'worker', forMs: [100, 3_000], share: 2, text: 'its event loop is kept busy' },
  cut: { strikes: 'worker', forMs: [0, 0], share: 3, text: 'its connections are cut' },
  away: { strikes: 'worker', forMs: [200, 4_000], share: 2, text: 'Redis can not be reached by it' },
  'silent-requests': { strikes: 'worker', forMs: [100, 4_000], share: 2, text: 'its requests vanish' },
  'silent-replies': { strikes: 'worker', forMs: [100, 4_000], share: 2, text: 'replies to it vanish' },
  'silent-messages': { strikes: 'worker', forMs: [100, 4_000], share: 2, text: 'its wake-ups vanish' },
  'held-requests': {
    strikes: 'worker',
    forMs: [100, 3_000],
    share: 2,
    text: 'its requests come late, together',
  },
  'held-replies': { strikes: 'worker', forMs: [100, 3_000], share: 2, text: 'replies come late, together' },
  'slow-replies': { strikes: 'worker', forMs: [500, 3_000], share: 2, text: 'each reply is delayed' },
  'lost-reply': {
    strikes: 'worker',
    forMs: [0, 3_000],
    share: 4,
    text: 'one reply is lost with its connection',
  },
  'kill-clients': { strikes: 'server', forMs: [0, 0], share: 2, text: 'CLIENT KILL TYPE normal' },
  'kill-subscribers': { strikes: 'server', forMs: [0, 0], share: 2, text: 'CLIENT KILL TYPE pubsub' },
  'script-flush': { strikes: 'server', forMs: [0, 0], share: 2, text: 'SCRIPT FLUSH' },
  freeze: {
    strikes: 'server',
    forMs: [100, 3_000],
    share: 2,
    on: standalone,
    text: 'SIGSTOP of the server, then SIGCONT',
  },
  restart: {
    strikes: 'server',
    forMs: [0, 1_500],
    share: 2,
    on: standalone,
    cutsAll: true,
    text: 'a restart that keeps all data',
  },
  crash: {
    strikes: 'server',
    forMs: [0, 1_500],
    share: 2,
    on: standalone,
    cutsAll: true,
    text: 'SIGKILL of the server, and a restart from its append-only file',
  },
  forget: {
    strikes: 'server',
    forMs: [0, 1_500],
    share: 2,
    on: standalone,
    loses: 'all',
    cutsAll: true,
    text: 'a restart without data',
  },
  flush: { strikes: 'server', forMs: [0, 0], share: 2, loses: 'all', text: 'FLUSHALL' },
  resize: { strikes: 'server', forMs: [0, 0], share: 3, text: 'another limit' },
  'clock-forward': {
    strikes: 'server',
    forMs: [0, 0],
    share: 1,
    on: standalone,
    text: "the server's clock is set forward",
  },
  'clock-back': {
    strikes: 'server',
    forMs: [0, 0],
    share: 1,
    on: standalone,
    text: "the server's clock is set back",
  },
  'kill-primary': {
    strikes: 'server',
    forMs: [0, 1_500],
    share: 2,
    on: fleets,
    cutsAll: true,
    loses: 'latest',
    text: 'SIGKILL of the primary, a replica takes over; then it comes back',
  },
  'kill-behind': {
    strikes: 'server',
    forMs: [100, 1_000],
    share: 2,
    on: fleets,
    cutsAll: true,
    loses: 'latest',
    text: 'the same, and no replica has what was written in this time',
  },
  'freeze-primary': {
    strikes: 'server',
    forMs: [100, 4_000],
    share: 2,
    on: fleets,
    loses: 'latest',
    text: 'SIGSTOP of the primary, then SIGCONT; in between a replica may take over',
  },
  failover: {
    strikes: 'server',
    forMs: [0, 0],
    share: 2,
    on: ['sentinel'],
    loses: 'latest',
    text: 'SENTINEL FAILOVER, which does not wait for the replica',
  },
  'planned-failover': {
    strikes: 'server',
    forMs: [0, 0],
    share: 2,
    on: ['cluster'],
    text: 'CLUSTER FAILOVER, which loses nothing',
  },
  'move-slot': {
    strikes: 'server',
    forMs: [0, 1_500],
    share: 2,
    on: ['cluster'],
    text: 'the slot moves to another primary, key by key, with pauses',
  },
} as const satisfies Record<string, FaultTraits>;

export type FaultKind = keyof typeof faultKinds;

export const allFaultKinds = Object.keys(faultKinds) as FaultKind[];

/** Those that there are on such a target. */
export function kindsOn(target: TargetKind): FaultKind[] {
  return allFaultKinds.filter((kind) => traitsOf(kind).on?.includes(target) ?? true);
}

/** Those that no connection notices. */
export const quietKinds: ReadonlySet<FaultKind> = new Set([
  'flush',
  'script-flush',
  'resize',
  'clock-forward',
  'clock-back',
]);

/** Those in which everybody can check in. */
export const harmlessKinds: ReadonlySet<FaultKind> = new Set([
  ...quietKinds,
  'kill-subscribers',
  'silent-messages',
]);

export const traitsOf = (kind: FaultKind): FaultTraits => faultKinds[kind];
