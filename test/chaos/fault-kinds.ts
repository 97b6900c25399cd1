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
  readonly text: string;
}

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
  freeze: { strikes: 'server', forMs: [100, 3_000], share: 2, text: 'SIGSTOP of the server, then SIGCONT' },
  restart: {
    strikes: 'server',
    forMs: [0, 1_500],
    share: 2,
    cutsAll: true,
    text: 'a restart that keeps all data',
  },
  crash: {
    strikes: 'server',
    forMs: [0, 1_500],
    share: 2,
    cutsAll: true,
    text: 'SIGKILL of the server, and a restart from its append-only file',
  },
  forget: {
    strikes: 'server',
    forMs: [0, 1_500],
    share: 2,
    cutsAll: true,
    text: 'a restart without data',
  },
  flush: { strikes: 'server', forMs: [0, 0], share: 2, text: 'FLUSHALL' },
  resize: { strikes: 'server', forMs: [0, 0], share: 3, text: 'another limit' },
  'clock-forward': { strikes: 'server', forMs: [0, 0], share: 1, text: "the server's clock is set forward" },
  'clock-back': { strikes: 'server', forMs: [0, 0], share: 1, text: "the server's clock is set back" },
} as const satisfies Record<string, FaultTraits>;

export type FaultKind = keyof typeof faultKinds;

export const allFaultKinds = Object.keys(faultKinds) as FaultKind[];

export const traitsOf = (kind: FaultKind): FaultTraits => faultKinds[kind];
