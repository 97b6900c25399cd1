import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { SemaphoreClient } from '../../src/index.ts';
import { nowUs, type Snapshot, type SupervisorEvent } from './history.ts';

const everyMs = 25;
const keysEveryMs = 1_000;

/** Watches the semaphore from outside, past the proxies, and writes down every change that it sees. */
export class Observer {
  readonly #client: SemaphoreClient;
  readonly #primary: () => Promise<Redis>;
  readonly #scope: { readonly prefix: string; readonly name: string };
  readonly #log: (event: SupervisorEvent) => void;
  readonly #running: Promise<unknown>;
  #stopped = false;
  /** Snapshots with more held than the limit; the checker judges them. */
  suspects = 0;

  constructor(
    client: SemaphoreClient,
    primary: () => Promise<Redis>,
    scope: { readonly prefix: string; readonly name: string },
    log: (event: SupervisorEvent) => void,
  ) {
    this.#client = client;
    this.#primary = primary;
    this.#scope = scope;
    this.#log = log;
    this.#running = Promise.all([this.#watchLine(), this.#watchKeys()]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #watchLine(): Promise<void> {
    let last = '';
    while (!this.#stopped) {
      const snapshot = await this.#look();
      if (snapshot !== undefined) {
        const { asked: _asked, at: _at, ...seen } = snapshot;
        const text = JSON.stringify(seen);
        if (text !== last) this.#log({ kind: 'snapshot', ...snapshot });
        last = text;
        if (snapshot.held > snapshot.limit) this.suspects++;
      }
      await sleep(everyMs);
    }
  }

  /** Nothing while Redis is away. */
  async #look(): Promise<Snapshot | undefined> {
    const asked = nowUs();
    const seen = await this.#client.inspect(this.#scope.name, { pageSize: 1_000 }).catch(() => undefined);
    return (
      seen && {
        asked,
        at: nowUs(),
        limit: seen.limit,
        held: seen.held,
        waiting: seen.waiting,
        holders: seen.holders.map(({ id, weight }) => [id, weight] as const),
        waiters: seen.waiters.map(({ id }) => id),
      }
    );
  }

  async #watchKeys(): Promise<void> {
    while (!this.#stopped) {
      const keys = await this.keysWithoutTtl().catch(() => []);
      if (keys.length > 0) this.#log({ kind: 'keys without ttl', at: nowUs(), keys });
      for (let ms = 0; ms < keysEveryMs && !this.#stopped; ms += 100) await sleep(100);
    }
  }

  async keysWithoutTtl(): Promise<string[]> {
    const redis = await this.#primary();
    const keys = await redis.keys(`${this.#scope.prefix}:*`);
    const ttls = await Promise.all(keys.map((key) => redis.pttl(key)));
    return keys.filter((_, i) => ttls[i] === -1);
  }
}
