import { Gauge, Registry } from 'prom-client';
import { ParkadeError, type SemaphoreClient, type SemaphoreSnapshot } from '../../index.ts';
import type { SemaphoreNames } from './names.ts';

export interface ScrapeSettings {
  readonly maxSemaphores: number;
  /** Told when Redis went away, with what happened, and when it is back. */
  readonly availability: (failure: ParkadeError | undefined) => void;
}

/** What each semaphore is told of by, and how it is taken from a snapshot. */
const perSemaphore: readonly (readonly [
  name: string,
  help: string,
  of: (snapshot: SemaphoreSnapshot) => number,
])[] = [
  ['limit', 'Units that may be held at once.', ({ limit }) => limit],
  ['held', 'Units held.', ({ held }) => held],
  [
    'available',
    'Units free; 0 also when more than the limit is held after a resize.',
    ({ available }) => available,
  ],
  ['permits', 'Permits held, whatever their weight.', ({ holding }) => holding],
  ['waiting', 'Requests that wait.', ({ waiting }) => waiting],
  [
    'oldest_wait_seconds',
    'For how long the head of the line has waited; 0 when nobody waits.',
    ({ oldestWaitMs }) => oldestWaitMs / 1000,
  ],
];

/** How many semaphores are looked at in one round trip. */
const batchSize = 100;

/**
 * One look at all semaphores, as Prometheus text. Whoever asks while a look is under way gets that one's result. Gauges
 * only: Redis keeps no totals, and a total made from snapshots would miss what comes and goes in between.
 */
export class Scraper {
  readonly #client: SemaphoreClient;
  readonly #names: SemaphoreNames;
  readonly #settings: ScrapeSettings;
  #running: Promise<string> | undefined;

  constructor(client: SemaphoreClient, names: SemaphoreNames, settings: ScrapeSettings) {
    this.#client = client;
    this.#names = names;
    this.#settings = settings;
  }

  /** Rejects with nothing that Redis does: that is `parkade_up 0`, without numbers of semaphores. */
  scrape(): Promise<string> {
    this.#running ??= this.#scrape().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #scrape(): Promise<string> {
    const startMs = performance.now();
    const registry = new Registry(); // a new one each time, so that what is gone leaves no series behind
    const gauge = (name: string, help: string, value?: number) => {
      const made = new Gauge({ name: `parkade_${name}`, help, registers: [registry] });
      if (value !== undefined) {
        made.set(value);
      }
    };
    let failure: ParkadeError | undefined;
    try {
      const { names, ageMs } = await this.#names.known();
      const shown = names.slice(0, this.#settings.maxSemaphores);
      const snapshots = await this.#inspect(shown);
      gauge('semaphores', 'Semaphores that were found.', names.length);
      gauge('semaphores_omitted', 'Semaphores left out by --max-semaphores.', names.length - shown.length);
      if (ageMs !== undefined) {
        gauge('list_age_seconds', 'Since the names were last looked for to the end.', ageMs / 1000);
      }
      for (const [name, help, of] of perSemaphore) {
        const made = new Gauge({
          name: `parkade_semaphore_${name}`,
          help,
          labelNames: ['semaphore'],
          registers: [registry],
        });
        for (const snapshot of snapshots) {
          made.set({ semaphore: snapshot.name }, of(snapshot));
        }
      }
    } catch (error) {
      if (!(error instanceof ParkadeError)) {
        throw error;
      }
      failure = error;
    }
    this.#settings.availability(failure);
    gauge('up', 'Whether Redis answered this scrape.', failure === undefined ? 1 : 0);
    gauge(
      'scrape_duration_seconds',
      'How long this scrape took to ask Redis.',
      (performance.now() - startMs) / 1000,
    );
    return registry.metrics();
  }

  /** Of those that still exist. */
  async #inspect(names: readonly string[]): Promise<SemaphoreSnapshot[]> {
    const snapshots: SemaphoreSnapshot[] = [];
    await this.#look('-'); // whoever it is: to hear of a Redis that is away also when there are no names
    for (let i = 0; i < names.length; i += batchSize) {
      const batch = names.slice(i, i + batchSize);
      snapshots.push(...(await Promise.all(batch.map((name) => this.#look(name)))).flat());
    }
    return snapshots;
  }

  async #look(name: string): Promise<SemaphoreSnapshot[]> {
    try {
      const snapshot = await this.#client.inspect(name, { pageSize: 1 });
      return snapshot.exists ? [snapshot] : [];
    } catch (error) {
      if (error instanceof ParkadeError && error.code === 'INVALID_OPTIONS') {
        return []; // a key of someone else's that looks like one of ours
      }
      throw error;
    }
  }
}
