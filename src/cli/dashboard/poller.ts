import type { SemaphoreClient } from '../../index.ts';
import { failureOf } from '../failure.ts';
import type { Sight, Watch } from '../watch.ts';
import { FirstSeen } from './first-seen.ts';
import { Series, Timeline } from './history.ts';
import type { Detail, Hello, History, Look, Row, Trail } from './messages.ts';

export interface PollerSettings {
  /** From look to look while somebody looks at the page. */
  readonly intervalMs: number;
  /** And while nobody does; 0: not at all, and history has a gap then. */
  readonly idleIntervalMs: number;
  readonly historyMs: number;
}

/** Of one semaphore, what is kept. */
interface Track {
  row: Row;
  changedAtLook: number;
  readonly firstSeen: FirstSeen;
  readonly held: Series;
  readonly limit: Series;
  readonly waiting: Series;
}

/** As many buckets has a trail at most. */
const buckets = 60;
/** Names are looked for this rarely while nobody looks. */
const idleRestMs = 60_000;
/** A stream that is so many looks behind gets everything anew. */
const longestLag = 100;

/** One look after the other at all semaphores, for all browsers together, and what was seen in the last minutes. */
export class Poller {
  readonly #client: SemaphoreClient;
  readonly #watch: Watch;
  readonly #settings: PollerSettings;
  readonly #timeline: Timeline;
  readonly #tracks = new Map<string, Track>();
  readonly #details = new Map<string, Promise<Detail>>();
  readonly #bucketMs: number;
  #gone: { readonly id: number; readonly atLook: number }[] = [];
  #lookNo = 0;
  #lastId = 0;
  #atMs = Date.now();
  #failure: string | null = null;
  #failingSinceMs: number | null = null;
  #viewers = 0;
  /** Ends the rest between two looks. */
  #endRest: (() => void) | undefined;
  /** The next rest is left out: something was changed while a look was under way, which may not have seen it. */
  #isHurried = false;
  #waiters = new Set<() => void>();

  constructor(client: SemaphoreClient, watch: Watch, settings: PollerSettings) {
    this.#client = client;
    this.#watch = watch;
    this.#settings = settings;
    this.#timeline = new Timeline(settings.historyMs);
    // No bucket without a look in it.
    this.#bucketMs = Math.max(
      settings.historyMs / buckets,
      1.5 * settings.idleIntervalMs,
      settings.intervalMs,
    );
  }

  /** The number of the last look. */
  get lookNo(): number {
    return this.#lookNo;
  }

  /** Looks until told to end. Never rejects for what Redis does. */
  async run(end: AbortSignal): Promise<void> {
    end.addEventListener('abort', () => this.lookSoon(), { once: true });
    while (!end.aborted) {
      await this.#look();
      for (const resolve of this.#waiters) resolve();
      this.#waiters.clear();
      if (!end.aborted) {
        await this.#rest();
      }
    }
  }

  /** Somebody looks, until the returned function is called. */
  join(): () => void {
    this.#viewers++;
    if (this.#viewers === 1) {
      this.lookSoon();
    }
    return () => {
      this.#viewers--;
    };
  }

  /** Looks at once, or once more after the look that is under way. */
  lookSoon(): void {
    this.#isHurried = true;
    this.#endRest?.();
  }

  /** Resolves after the next look, or when this aborts. */
  nextLook(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const done = () => {
        signal.removeEventListener('abort', done);
        this.#waiters.delete(done);
        resolve();
      };
      this.#waiters.add(done);
      signal.addEventListener('abort', done);
    });
  }

  /** What has changed since a look; undefined if that is too long ago. */
  since(lookNo: number): Look | undefined {
    if (this.#lookNo - lookNo > longestLag) {
      return undefined;
    }
    const changed = [...this.#tracks.values()].filter(({ changedAtLook }) => changedAtLook > lookNo);
    return {
      ...this.#state(),
      rows: changed.map(({ row }) => row),
      gone: this.#gone.filter(({ atLook }) => atLook > lookNo).map(({ id }) => id),
    };
  }

  everything(): Pick<Hello, Exclude<keyof Look, 'gone'> | 'bucketMs' | 'trails'> {
    const tracks = [...this.#tracks.values()];
    return {
      ...this.#state(),
      rows: tracks.map(({ row }) => row),
      bucketMs: this.#bucketMs,
      trails: Object.fromEntries(tracks.map((track) => [track.row.id, this.#trailOf(track)])),
    };
  }

  /** Empty of one that is not known. */
  historyOf(name: string): History {
    const history = {
      name,
      atMs: [] as number[],
      held: [] as (number | null)[],
      limit: [] as (number | null)[],
      waiting: [] as (number | null)[],
    };
    const track = this.#tracks.get(name);
    const { historyMs, idleIntervalMs, intervalMs } = this.#settings;
    const gapMs = 3 * Math.max(idleIntervalMs, intervalMs);
    let beforeMs = Number.POSITIVE_INFINITY;
    for (const { slot, atMs } of track ? this.#timeline.since(this.#atMs - historyMs) : []) {
      if (atMs - beforeMs > gapMs) {
        history.atMs.push(beforeMs + 1); // nobody looked: no line from then to now
        for (const values of [history.held, history.limit, history.waiting]) values.push(null);
      }
      beforeMs = atMs;
      history.atMs.push(atMs);
      history.held.push(track?.held.of(slot) ?? null);
      history.limit.push(track?.limit.of(slot) ?? null);
      history.waiting.push(track?.waiting.of(slot) ?? null);
    }
    return history;
  }

  /** Who holds and who waits, `size` of each at most. Asked once for each look, whoever wants it. Rejects as `client.inspect`. */
  detailOf(name: string, size: number): Promise<Detail> {
    const key = `${size} ${name}`;
    const detail = this.#details.get(key) ?? this.#detail(name, size);
    this.#details.set(key, detail);
    return detail;
  }

  async #detail(name: string, size: number): Promise<Detail> {
    const snapshot = await this.#client.inspect(name, { pageSize: size });
    const { exists, limit, held, available, holding, waiting, oldestWaitMs } = snapshot;
    const atMs = Date.now();
    const firstSeen = this.#tracks.get(name)?.firstSeen ?? new FirstSeen();
    firstSeen.see(snapshot, atMs);
    return {
      ...{ name, exists, atMs, limit, held, available, holding, waiting, oldestWaitMs },
      holders: snapshot.holders.map(({ id, client, weight, expiresInMs }) => ({
        ...{ permit: id, client, weight, expiresInMs },
        seenForMs: firstSeen.ageMs(id, atMs),
      })),
      waiters: snapshot.waiters.map(({ id, ...waiter }) => ({ permit: id, ...waiter })),
    };
  }

  #state(): Omit<Look, 'rows' | 'gone'> {
    return {
      atMs: this.#atMs,
      isComplete: this.#watch.isComplete,
      omitted: this.#watch.omitted,
      failure: this.#failure,
      failingSinceMs: this.#failingSinceMs,
    };
  }

  async #look(): Promise<void> {
    try {
      await this.#watch.look(this.#viewers > 0 ? undefined : idleRestMs);
      this.#failure = null;
      this.#failingSinceMs = null;
    } catch (error) {
      this.#failure = failureOf(error).message;
      this.#failingSinceMs ??= Date.now();
    }
    this.#lookNo++;
    this.#atMs = Date.now();
    this.#details.clear();
    const slot = this.#timeline.at(this.#atMs); // without numbers, if the look failed
    if (this.#failure === null) {
      this.#keep(this.#watch.sights, slot);
    }
  }

  #keep(sights: readonly Sight[], slot: number): void {
    for (const sight of sights) {
      const { name, limit, held, waiting } = sight.snapshot;
      const track = this.#tracks.get(name) ?? this.#newTrack(sight);
      const row = rowOf(track.row.id, sight);
      if (track.changedAtLook === 0 || !isSame(row, track.row)) {
        track.row = row;
        track.changedAtLook = this.#lookNo;
      }
      track.firstSeen.see(sight.snapshot, this.#atMs);
      track.held.put(slot, held);
      track.limit.put(slot, limit);
      track.waiting.put(slot, waiting);
    }
    const names = new Set(sights.map(({ snapshot }) => snapshot.name));
    for (const [name, { row }] of this.#tracks) {
      if (!names.has(name)) {
        this.#tracks.delete(name);
        this.#gone.push({ id: row.id, atLook: this.#lookNo });
      }
    }
    this.#gone = this.#gone.filter(({ atLook }) => this.#lookNo - atLook <= longestLag);
  }

  #newTrack(sight: Sight): Track {
    const track: Track = {
      row: rowOf(++this.#lastId, sight),
      changedAtLook: 0,
      firstSeen: new FirstSeen(),
      held: new Series(),
      limit: new Series(),
      waiting: new Series(),
    };
    this.#tracks.set(sight.snapshot.name, track);
    return track;
  }

  #trailOf({ held, limit, waiting }: Track): Trail {
    const bucketMs = this.#bucketMs;
    const count = Math.ceil(this.#settings.historyMs / bucketMs);
    const first = Math.floor(this.#atMs / bucketMs) - count + 1;
    const use = Array<number | null>(count).fill(null);
    const line = Array<number | null>(count).fill(null);
    for (const { slot, atMs } of this.#timeline.since(first * bucketMs)) {
      const units = held.of(slot);
      if (units !== null) {
        const bucket = Math.floor(atMs / bucketMs) - first;
        const part = useOf(units, limit.of(slot) ?? 0);
        use[bucket] = Math.max(use[bucket] ?? 0, Math.round(part * 1000) / 1000);
        line[bucket] = Math.max(line[bucket] ?? 0, waiting.of(slot) ?? 0);
      }
    }
    const known = use.findIndex((value) => value !== null);
    return { use: use.slice(known), waiting: line.slice(known) };
  }

  async #rest(): Promise<void> {
    const { intervalMs, idleIntervalMs } = this.#settings;
    const isNew = !this.#watch.isComplete && this.#failure === null;
    const watchedMs = isNew ? Math.min(100, intervalMs) : intervalMs;
    const ms = this.#viewers > 0 || isNew ? watchedMs : idleIntervalMs;
    if (!this.#isHurried) {
      await new Promise<void>((resolve) => {
        const timer = ms > 0 ? setTimeout(resolve, ms) : undefined;
        this.#endRest = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isHurried = false;
  }
}

function rowOf(id: number, { snapshot, grantsPerS }: Sight): Row {
  const { name, limit, held, holding, waiting, oldestWaitMs } = snapshot;
  return {
    ...{ id, name, limit, held, holding, waiting, oldestWaitMs },
    grantsPerS: grantsPerS === undefined ? null : Math.round(grantsPerS * 10) / 10,
  };
}

function isSame(a: Row, b: Row): boolean {
  return (Object.keys(a) as (keyof Row)[]).every((key) => a[key] === b[key]);
}

function useOf(held: number, limit: number): number {
  return limit > 0 ? held / limit : held > 0 ? 1 : 0;
}
