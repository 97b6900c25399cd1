import type { Attempts } from './attempts.ts';
import type { Clock } from './clock.ts';
import { ClientClosedError } from './errors.ts';
import type { RedisConnection } from './redis/connection.ts';
import { nameOfStateKey, readRecord, statePattern } from './redis/keys.ts';
import type { SemaphoreStore } from './redis/store.ts';
import type { InspectSettings, ListSettings } from './settings.ts';

/** One holder in a snapshot. */
export interface Holder {
  /** The permit's id. */
  readonly id: string;
  /** The id of the client that holds it: `host:pid:…`, or its label in front. */
  readonly client: string;
  readonly weight: number;
  /** For how long it is valid unless renewed, ms. */
  readonly expiresInMs: number;
}

/** One waiter in a snapshot. */
export interface WaiterInLine {
  /** The id that its permit will have. */
  readonly id: string;
  readonly client: string;
  readonly weight: number;
  /** 0 is the head of the line. */
  readonly position: number;
  /** For how long it has waited, ms. */
  readonly waitingMs: number;
}

/** A semaphore at one moment. Expired permits are left out, reaped or not. */
export interface SemaphoreSnapshot {
  readonly name: string;
  /** Whether anybody has used it within `retentionMs`; if not, all numbers are 0. */
  readonly exists: boolean;
  /** The limit in force; 0 also when nobody has used the semaphore yet. */
  readonly limit: number;
  /** Units held. */
  readonly held: number;
  /** Units free; never below 0, although more than the limit may be held after a `resize`. */
  readonly available: number;
  /** How many permits are held. */
  readonly holding: number;
  /** How many requests wait. */
  readonly waiting: number;
  /** For how long the head of the line has waited, ms; 0 when nobody waits. */
  readonly oldestWaitMs: number;
  /** The page of permits that was asked for, by expiry. */
  readonly holders: readonly Holder[];
  /** The page of the line that was asked for, in order. */
  readonly waiters: readonly WaiterInLine[];
}

/**
 * Takes one consistent snapshot, by a script that only reads. Costs what it returns, not what there is.
 *
 * @throws what `Attempts.run` throws
 */
export async function inspect(
  store: SemaphoreStore,
  attempts: Attempts,
  name: string,
  settings: InspectSettings,
): Promise<SemaphoreSnapshot> {
  const first = settings.page * settings.pageSize;
  const result = await attempts.run(() => store.inspect(first, settings.pageSize), {
    doing: 'inspect',
    semaphore: name,
    giveUpAtMs: attempts.giveUpAtMs(),
  });
  if (result.kind === 'abandoned') {
    throw new ClientClosedError(name);
  }
  const raw = result.value;
  const limit = Math.max(0, raw.limit);
  // A ticket is the server's time in µs at which it was drawn, but for some µs of a burst.
  const ageMs = (ticket: number) => Math.max(0, Math.round((raw.nowUs - ticket) / 1000));
  return {
    name,
    exists: raw.limit >= 0,
    limit,
    held: raw.held,
    available: Math.max(0, limit - raw.held),
    holding: raw.holding,
    waiting: raw.waiting,
    oldestWaitMs: raw.headTicket === 0 ? 0 : ageMs(raw.headTicket),
    holders: raw.permits.flatMap(({ record, expiresAtMs }) => {
      const parts = readRecord(record);
      return parts === undefined
        ? []
        : [
            {
              id: record,
              client: parts.clientId,
              weight: parts.weight,
              expiresInMs: expiresAtMs - raw.nowMs,
            },
          ];
    }),
    waiters: raw.waiters.map(({ record, ticket }, i) => {
      const parts = readRecord(record);
      return {
        id: record,
        client: parts?.clientId ?? '',
        weight: parts?.weight ?? 0,
        position: first + i,
        waitingMs: ageMs(ticket),
      };
    }),
  };
}

/**
 * Finds the names of all semaphores, each once, in no order. Walks past every key of the database (of all primaries of a
 * Cluster, one after the other) in small steps with a pause after each, so that Redis is never kept from its work for
 * longer than a step takes. Complete for those that are there all the time; a slot that moves to another node
 * meanwhile may be missed.
 *
 * @throws what `Attempts.run` throws
 */
export async function* list(
  connection: RedisConnection,
  attempts: Attempts,
  clock: Clock,
  prefix: string,
  { match, stepSize, pauseMs }: ListSettings,
): AsyncGenerator<string, void, undefined> {
  const call = async <T>(send: () => Promise<T>): Promise<T> => {
    const giveUpAtMs = attempts.giveUpAtMs();
    const result = await attempts.run(send, { doing: 'list semaphores', semaphore: undefined, giveUpAtMs });
    if (result.kind === 'abandoned') {
      throw new ClientClosedError(undefined);
    }
    return result.value;
  };
  const pattern = statePattern(prefix, match);
  const found = new Set<string>();
  for (const keyspace of await call(async () => connection.keyspaces())) {
    let cursor = '0';
    do {
      const step = await call(() => keyspace.scanHashes(cursor, pattern, stepSize));
      for (const key of step.keys) {
        const name = nameOfStateKey(prefix, key);
        if (name !== undefined && !found.has(name)) {
          found.add(name);
          yield name;
        }
      }
      cursor = step.cursor;
      if (cursor !== '0') {
        await new Promise<void>((resolve) => void clock.after(pauseMs, resolve));
      }
    } while (cursor !== '0');
  }
}
