import type { SemaphoreClient, SemaphoreSnapshot } from '../index.ts';

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
const restMs = 5_000;

/** Looks at all semaphores again and again. */
export class Watch {
  readonly #client: SemaphoreClient;
  readonly #pattern: string;
  readonly #counters = new Map<string, GrantCounter>();
  #sights = new Map<string, Sight>();
  #isFinding = false;
  #findAtMs = 0;
  /** Why semaphores could not be found, if so. */
  #failure: unknown;

  constructor(client: SemaphoreClient, pattern: string) {
    this.#client = client;
    this.#pattern = pattern;
  }

  get sights(): readonly Sight[] {
    return [...this.#sights.values()];
  }

  /** Whether they were all found once. */
  get isComplete(): boolean {
    return this.#findAtMs > 0;
  }

  /** Takes a snapshot of each that is known. Rejects as `client.inspect` does; what was seen before stays then. */
  async look(): Promise<void> {
    if (!this.#isFinding && performance.now() >= this.#findAtMs) {
      void this.#find();
    }
    const names = [...this.#counters.keys()];
    const sights = new Map<string, Sight>();
    for (let i = 0; i < names.length; i += atOnce) {
      const snapshots = await Promise.all(
        names.slice(i, i + atOnce).map((name) => this.#client.inspect(name, { pageSize })),
      );
      for (const snapshot of snapshots) {
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

  /** In the background, since Redis may have many keys; then rests, ten times as long as it took. */
  async #find(): Promise<void> {
    this.#isFinding = true;
    const beganMs = performance.now();
    try {
      for await (const name of this.#client.list({ match: this.#pattern })) {
        if (!this.#counters.has(name)) {
          this.#counters.set(name, new GrantCounter());
        }
      }
      const endMs = performance.now();
      this.#findAtMs = endMs + Math.max(restMs, 10 * (endMs - beganMs));
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
