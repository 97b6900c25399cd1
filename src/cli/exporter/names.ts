export interface NamesSettings {
  /** For how long a walk past all keys serves. */
  readonly freshForMs: number;
  /** How long to wait for the very first walk; after that, what it found so far has to do. */
  readonly firstWalkMs: number;
}

/** The names found, and when. */
export interface KnownNames {
  /** Sorted, so that a cap leaves out the same ones each time. */
  readonly names: readonly string[];
  /** Since the last complete walk, ms; undefined before there was one. */
  readonly ageMs: number | undefined;
}

/**
 * The names of all semaphores, without walking past all keys of a Redis whenever somebody asks: one walk at a time, none
 * while the last is fresh, and whoever asks gets the last one's result while the next is under way.
 */
export class SemaphoreNames {
  readonly #list: () => AsyncIterable<string>;
  readonly #settings: NamesSettings;
  #known: readonly string[] | undefined;
  #knownAtMs = 0;
  #partial = new Set<string>();
  #walk: Promise<void> | undefined;
  #failure: unknown;

  /** @param list walks past all keys, and gives the names that it finds */
  constructor(list: () => AsyncIterable<string>, settings: NamesSettings) {
    this.#list = list;
    this.#settings = settings;
  }

  /** @throws what `list` throws, while no walk has come to its end; the next call begins another */
  async known(): Promise<KnownNames> {
    const fresh = this.#known !== undefined && this.#ageMs() < this.#settings.freshForMs;
    if (!fresh) {
      this.#walk ??= this.#walkOnce().finally(() => {
        this.#walk = undefined;
      });
      if (this.#known === undefined) {
        await settledWithin(this.#walk, this.#settings.firstWalkMs);
      }
    }
    if (this.#known !== undefined) {
      return { names: this.#known, ageMs: this.#ageMs() };
    }
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
    return { names: [...this.#partial].sort(), ageMs: undefined };
  }

  #ageMs(): number {
    return performance.now() - this.#knownAtMs;
  }

  /** Never rejects: a failure is told to who asks. */
  async #walkOnce(): Promise<void> {
    const found = new Set<string>();
    this.#partial = found;
    this.#failure = undefined;
    try {
      for await (const name of this.#list()) {
        found.add(name);
      }
      this.#known = [...found].sort();
      this.#knownAtMs = performance.now();
    } catch (error) {
      this.#failure = error;
    }
  }
}

async function settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, tooLong]);
  clearTimeout(timer);
}
