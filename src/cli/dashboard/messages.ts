/*
 * What the dashboard's server tells its page. Types alone: they are all that both sides share.
 */

/** One semaphore, as it was at the last look. */
export interface Row {
  /** Stands for the name while the server lives. */
  readonly id: number;
  readonly name: string;
  readonly limit: number;
  /** Units. */
  readonly held: number;
  /** Permits. */
  readonly holding: number;
  readonly waiting: number;
  readonly oldestWaitMs: number;
  /** A lower bound; null where it isn't known. */
  readonly grantsPerS: number | null;
}

/**
 * How full, and how long a line, at most, in each bucket since it is known; the last is the one that `Hello.atMs` is in.
 * Null: not known.
 */
export interface Trail {
  readonly use: readonly (number | null)[];
  readonly waiting: readonly (number | null)[];
}

/** The state of a look. */
interface LookState {
  /** Of the server's clock, ms since 1970. */
  readonly atMs: number;
  /** Whether all semaphores were found once. */
  readonly isComplete: boolean;
  /** How many were found and left out. */
  readonly omitted: number;
  /** Why the look failed; nothing is newer than the look before then. */
  readonly failure: string | null;
  /** Since when it fails. */
  readonly failingSinceMs: number | null;
}

/** Event `hello`: everything, at the start of a stream. */
export interface Hello extends LookState {
  readonly version: string;
  /** Which Redis, without a password. */
  readonly redis: string;
  readonly prefix: string;
  readonly pattern: string;
  readonly intervalMs: number;
  readonly historyMs: number;
  readonly bucketMs: number;
  readonly mayChange: boolean;
  readonly rows: readonly Row[];
  /** By `Row.id`. */
  readonly trails: Readonly<Record<number, Trail>>;
}

/** Event `look`: what has changed. */
export interface Look extends LookState {
  readonly rows: readonly Row[];
  /** Ids of those that nobody uses any more. */
  readonly gone: readonly number[];
}

/** Event `history`: of the semaphore that is open, as far back as it is known. Null: not known then. */
export interface History {
  readonly name: string;
  readonly atMs: readonly number[];
  readonly held: readonly (number | null)[];
  readonly limit: readonly (number | null)[];
  readonly waiting: readonly (number | null)[];
}

export interface HolderRow {
  readonly permit: string;
  readonly client: string;
  readonly weight: number;
  /** For how long the dashboard has seen it. */
  readonly seenForMs: number;
  readonly expiresInMs: number;
}

export interface WaiterRow {
  readonly permit: string;
  readonly client: string;
  readonly weight: number;
  /** 0 is the head of the line. */
  readonly position: number;
  readonly waitingMs: number;
}

/** Event `detail`: who holds the semaphore that is open, and who waits. */
export interface Detail {
  readonly name: string;
  readonly exists: boolean;
  readonly atMs: number;
  readonly limit: number;
  readonly held: number;
  readonly available: number;
  readonly holding: number;
  readonly waiting: number;
  readonly oldestWaitMs: number;
  readonly holders: readonly HolderRow[];
  readonly waiters: readonly WaiterRow[];
}

/** POST /resize. */
export interface ResizeOrder {
  readonly name: string;
  readonly limit: number;
  /** What whoever asks takes to be the limit in force; refused with 409 if it is another. */
  readonly limitBefore: number;
}

/** POST /revoke. */
export interface RevokeOrder {
  readonly name: string;
  readonly permit: string;
}

/** What every answer but a stream and a file says when it isn't 2xx. */
export interface Refusal {
  readonly error: string;
}
