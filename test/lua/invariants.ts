import type { SemaphoreKeys } from '../../src/redis/keys.ts';
import { readRecord, writeRecord } from '../../src/redis/keys.ts';
import type { AcquireAnswer, BeatAnswer, Caller, Reply, Revoked } from '../../src/redis/store.ts';

/** The four keys of a semaphore as plain objects. */
export interface Keys {
  /** Record → lease expiry, ms; by expiry. */
  readonly permits: Readonly<Record<string, number>>;
  /** The line, head first. */
  readonly waiters: readonly string[];
  /** Record → ticket. */
  readonly tickets: Readonly<Record<string, number>>;
  /** Client id → present until, ms. */
  readonly clients: Readonly<Record<string, number>>;
  /** Empty when there is none. */
  readonly state: Readonly<Record<string, number | undefined>>;
  /** Of each key; -2 when there is none, -1 when it would stay for ever. */
  readonly ttlMs: Readonly<Record<keyof SemaphoreKeys, number>>;
}

/** One script that was sent, and the keys around it. */
export interface Step {
  readonly script: 'acquire' | 'release' | 'renew' | 'beat' | 'resize' | 'restore' | 'revoke';
  readonly caller: Caller;
  readonly before: Keys;
  readonly after: Keys;
  /** The server's clock when it was sent. */
  readonly nowMs: number;
  /** More was to be reaped or handed off than one call may. */
  readonly unfinished: boolean;
  readonly reply: Reply<AnyAnswer> | Error;
}

export type AnyAnswer = AcquireAnswer | BeatAnswer | boolean | number | Revoked;

type Good = Reply<AnyAnswer> & { kind: 'ok' };

/** What is wrong, in sentences, with a step: everything that must hold after each script, whatever it was called for. */
export function faultsOf(step: Step): string[] {
  const { before, after, reply } = step;
  // A revocation makes no semaphore, and says that there is none by epoch 0.
  if (reply instanceof Error || reply.kind !== 'ok' || (step.script === 'revoke' && reply.epoch === 0)) {
    const { ttlMs: _, ...was } = before;
    const { ttlMs: __, ...is } = after;
    const what = reply instanceof Error ? 'an error' : reply.kind;
    return JSON.stringify(was) === JSON.stringify(is) ? [] : [`it changed something, and answered ${what}`];
  }
  return [
    ...recordFaults(after),
    ...unitFaults(step),
    ...orderFaults(step),
    ...numberFaults(step, reply),
    ...timeFaults(step, reply.nowMs),
  ];
}

function weightOf(record: string): number {
  return readRecord(record)?.weight ?? Number.NaN;
}

function recordFaults({ permits, waiters, tickets, state }: Keys): string[] {
  const faults: string[] = [];
  for (const record of [...Object.keys(permits), ...waiters]) {
    const parts = readRecord(record);
    if (parts === undefined || writeRecord(parts) !== record) {
      faults.push(`${record} is no record`);
    } else if (Buffer.byteLength(record) > Buffer.byteLength(parts.clientId) + 28) {
      faults.push(`${record} is longer than Redis packs well`);
    }
  }
  for (const record of waiters) {
    if (permits[record] !== undefined) faults.push(`${record} both holds and waits`);
  }
  if (new Set(Object.values(tickets)).size < waiters.length) faults.push('two waiters have the same ticket');
  const hasLine = waiters.length > 0 ? 1 : 0;
  if (state['hasLine'] !== hasLine) {
    faults.push(`hasLine is ${state['hasLine']}, and ${waiters.length} wait`);
  }
  return faults;
}

/** Units are counted right, never granted twice, and never left unused while somebody could have them. */
function unitFaults({ script, before, after, nowMs, unfinished, reply }: Step): string[] {
  const faults: string[] = [];
  const { held = Number.NaN, limit = Number.NaN, openAtMs = 0 } = after.state;
  const sum = Object.keys(after.permits).reduce((total, record) => total + weightOf(record), 0);
  if (held !== sum) faults.push(`held is ${held}, but the permits weigh ${sum}`);
  if (held > limit && held > (before.state['held'] ?? 0) && script !== 'restore') {
    faults.push(`${held} units are held of ${limit}, and it were fewer before`);
  }
  const now = Math.max(nowMs, reply instanceof Error || reply.kind !== 'ok' ? 0 : Math.floor(reply.nowMs));
  const [head] = after.waiters;
  if (!unfinished) {
    const expired = Object.entries(after.permits).filter(([, expiresAtMs]) => expiresAtMs <= now);
    if (expired.length > 0) faults.push(`${expired.length} expired permits are still there`);
    if (head !== undefined && now >= openAtMs) {
      if (held + weightOf(head) <= limit) faults.push(`${head} waits at the head although it fits`);
      if (held < limit && weightOf(head) > limit) faults.push(`${head} waits at the head and can never fit`);
    }
  }
  return faults;
}

/** Grants follow tickets. */
function orderFaults({ script, before, after }: Step): string[] {
  const faults: string[] = [];
  const stillWaiting = after.waiters.filter((record) => before.tickets[record] !== undefined);
  for (const record of Object.keys(after.permits)) {
    if (before.permits[record] !== undefined || script === 'restore') continue;
    const ticket = before.tickets[record] ?? Number.POSITIVE_INFINITY;
    const overtaken = stillWaiting.filter((waiter) => (before.tickets[waiter] ?? 0) < ticket);
    if (overtaken.length > 0) faults.push(`${record} was granted, and ${overtaken[0]} was there before`);
  }
  for (const record of stillWaiting) {
    if (before.tickets[record] !== after.tickets[record]) faults.push(`${record} has another ticket now`);
  }
  return faults;
}

/** Tickets, tokens and epochs are drawn from one line, and rise above all that anyone has seen. */
function numberFaults({ script, caller, before, after }: Step, reply: Good): string[] {
  const faults: string[] = [];
  const drawn: number[] = [];
  if (before.state['epoch'] !== reply.epoch) {
    drawn.push(reply.epoch);
    if (before.state['epoch'] !== undefined && script !== 'restore') faults.push('the epoch changed');
  }
  if (after.state['epoch'] !== reply.epoch) faults.push('the epoch told is not the one stored');
  if (after.state['limit'] !== reply.limit) faults.push('the limit told is not the one stored');
  if (after.state['declared'] !== reply.declaredLimit) {
    faults.push('the limit told as declared is not the one stored');
  }
  drawn.push(...reply.grants.map(({ token }) => token).filter((token) => token !== 0));
  for (const answer of reply.answers) {
    if (typeof answer !== 'object') continue;
    if (answer.kind === 'granted') drawn.push(answer.token);
    if (answer.kind === 'queued') {
      if (!Object.values(after.tickets).includes(answer.ticket))
        faults.push('a ticket was told that nobody has');
      if (!Object.values(before.tickets).includes(answer.ticket)) drawn.push(answer.ticket);
    }
  }
  let last = Math.max(before.state['seq'] ?? 0, caller.seen);
  for (const number of drawn) {
    if (!Number.isSafeInteger(number)) faults.push(`${number} was drawn, which is no safe integer`);
    if (number <= last) faults.push(`${number} was drawn after ${last}`);
    last = Math.max(last, number);
  }
  const { seq = Number.NaN } = after.state;
  if (!(seq >= last)) faults.push(`seq is ${seq}, and ${last} was seen or drawn`);
  return faults;
}

/** Time only goes forward, and nothing stays in Redis for ever, nor ends before what it holds. */
function timeFaults({ before, after }: Step, toldMs: number): string[] {
  const faults: string[] = [];
  const { lastMs = Number.NaN, retentionMs = Number.NaN } = after.state;
  if (Math.floor(toldMs) !== lastMs) faults.push(`it is ${toldMs}, but ${lastMs} was stored`);
  if (lastMs < (before.state['lastMs'] ?? 0)) faults.push('time ran back');
  for (const [key, ttlMs] of Object.entries(after.ttlMs)) {
    if (ttlMs === -1) faults.push(`${key} would stay for ever`);
    // A busy machine may look a while after the script.
    if (ttlMs >= 0 && (ttlMs > (retentionMs * 9) / 8 + 1 || ttlMs < retentionMs - 30_000)) {
      faults.push(`${key} stays for ${ttlMs} ms, not ${retentionMs}`);
    }
  }
  const longestMs = Math.max(0, ...Object.values(after.permits)) - lastMs;
  if (longestMs > retentionMs) faults.push(`keys stay for ${retentionMs} ms, and a lease is ${longestMs} ms`);
  return faults;
}
