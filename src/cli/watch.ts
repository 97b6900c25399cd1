import { ParkadeError, type SemaphoreClient, type SemaphoreSnapshot } from '../index.ts';

/** Of one semaphore, what was seen last. */
export interface Sight {
  readonly snapshot: SemaphoreSnapshot;
  /**
   * Permits that were not held at the look before, a second, over the last 10 s: a lower bound of what was granted, since
   * permits that came and went between two looks are not seen. Undefined where too many are held to see each.
   */
  readonly grantsPerS: number | undefined;
}

const windowMs = 10_000;
const pageSize = 200;
const atOnce = 50;
/** Finding semaphores costs more than looking at them. */
const shortestRestMs = 5_000;

/** Looks at all semaphores again and again. */
export class Watch {
  readonly #client: SemaphoreClient;
  readonly #pattern: string;
  readonly #most: number;
  readonly #counters = new Map<string, GrantCounter>();
  #sights = new Map<string, Sight>();
  #isFinding = false;
  #foundAtMs = 0;
  #tookMs = 0;
  #omitted = 0;
  /** Why semaphores could not be found, if so. */
  #failure: unknown;

  /** @param most how many semaphores to look at; those that are found when there are so many are left out */
  constructor(client: SemaphoreClient, pattern: string, most = Number.POSITIVE_INFINITY) {
    this.#client = client;
    this.#pattern = pattern;
    this.#most = most;
  }

  get sights(): readonly Sight[] {
    return [...this.#sights.values()];
  }

  /** Whether they were all found once. */
  get isComplete(): boolean {
    return this.#foundAtMs > 0;
  }

  /** How many were found and left out. */
  get omitted(): number {
    return this.#omitted;
  }

  /**
   * Takes a snapshot of each that is known. Rejects as `client.inspect` does; what was seen before stays then.
   *
   * @param restMs after all were found, they are looked for anew after this, or ten times as long as it took
   */
  async look(restMs = shortestRestMs): Promise<void> {
    const findAtMs = this.isComplete ? this.#foundAtMs + Math.max(restMs, 10 * this.#tookMs) : 0;
    if (!this.#isFinding && performance.now() >= findAtMs) {
      void this.#find();
    }
    const names = [...this.#counters.keys()];
    const sights = new Map<string, Sight>();
    for (let i = 0; i < names.length; i += atOnce) {
      const snapshots = await Promise.all(names.slice(i, i + atOnce).map((name) => this.#inspect(name)));
      for (const snapshot of snapshots.filter((it) => it !== undefined)) {
        if (snapshot.exists) {
          const grantsPerS = this.#counters.get(snapshot.name)?.see(snapshot);
          sights.set(snapshot.name, { snapshot, grantsPerS });
        } else {
          this.#counters.delete(snapshot.name);
        }
      }
    }
    this.#sights = sights;
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }

  async #inspect(name: string): Promise<SemaphoreSnapshot | undefined> {
    try {
      return await this.#client.inspect(name, { pageSize });
    } catch (error) {
      if (error instanceof ParkadeError && error.code === 'INVALID_OPTIONS') {
        return undefined; // a key of someone else's that looks like one of ours
      }
      throw error;
    }
  }

  /** In the background, since Redis may have many keys. */
  async #find(): Promise<void> {
    this.#isFinding = true;
    let omitted = 0;
    try {
      await this.#client.inspect('-', { pageSize: 1 }); // whoever it is: to be connected, which is no part of what a walk takes
      const beganMs = performance.now();
      for await (const name of this.#client.list({ match: this.#pattern })) {
        if (this.#counters.has(name)) {
          continue;
        }
        if (this.#counters.size < this.#most) {
          this.#counters.set(name, new GrantCounter());
        } else {
          omitted++;
        }
      }
      this.#foundAtMs = performance.now();
      this.#tookMs = this.#foundAtMs - beganMs;
      this.#omitted = omitted;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#isFinding = false;
    }
  }
}

class GrantCounter {
  #held: ReadonlySet<string> | undefined;
  #looks: { readonly atMs: number; readonly grants: number }[] = [];

  /** Grants a second, after at least two looks. */
  see({ holders, holding }: SemaphoreSnapshot): number | undefined {
    const atMs = performance.now();
    const before = this.#held;
    if (holding > holders.length) {
      this.#held = undefined;
      this.#looks = [];
      return undefined;
    }
    this.#held = new Set(holders.map(({ id }) => id));
    const grants = before ? holders.filter(({ id }) => !before.has(id)).length : 0;
    this.#looks.push({ atMs, grants });
    while (this.#looks.length > 2 && (this.#looks[1]?.atMs ?? atMs) <= atMs - windowMs) {
      this.#looks.shift();
    }
    const [first, ...later] = this.#looks;
    const seconds = (atMs - (first?.atMs ?? atMs)) / 1000;
    return seconds > 0 ? later.reduce((sum, look) => sum + look.grants, 0) / seconds : undefined;
  }
}
