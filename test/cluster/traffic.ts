import { setTimeout as sleep } from 'node:timers/promises';
import type { SemaphoreClient } from '../../src/index.ts';
import { until } from '../support/until.ts';

/** One permit that a task of the traffic got. */
export interface Entry {
  readonly atMs: number;
  readonly token: number;
  /** How many were inside then, itself included. */
  readonly inside: number;
}

const holdMs = 5;

/**
 * Tasks of several clients that take a permit, hold it for a moment, release it and ask again. Who is inside is counted
 * beside the semaphore, in this process, where nothing fails over.
 */
export class Traffic {
  readonly limit: number;
  readonly entries: Entry[] = [];
  /** What acquires and releases rejected with. */
  readonly failures: unknown[] = [];
  readonly #tasks: Promise<void>[];
  #inside = 0;
  #stopped = false;

  constructor(clients: readonly SemaphoreClient[], name: string, limit: number, tasksEach: number) {
    this.limit = limit;
    this.#tasks = clients.flatMap((client) =>
      Array.from({ length: tasksEach }, () => this.#run(client, name)),
    );
  }

  /** Those that came in when all units were taken. */
  get overIssues(): Entry[] {
    return this.entries.filter(({ inside }) => inside > this.limit);
  }

  /** Resolves when so many more permits were granted. */
  async growsBy(count: number): Promise<void> {
    const goal = this.entries.length + count;
    await until(`${count} more permits are granted`, () => this.entries.length >= goal);
  }

  /** Resolves when all tasks have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#tasks);
  }

  async #run(client: SemaphoreClient, name: string): Promise<void> {
    const semaphore = client.semaphore(name, { limit: this.limit });
    while (!this.#stopped) {
      try {
        const permit = await semaphore.acquire();
        this.#inside++;
        this.entries.push({ atMs: performance.now(), token: permit.fencingToken, inside: this.#inside });
        await sleep(holdMs);
        this.#inside--;
        await permit.release();
      } catch (error) {
        this.failures.push(error);
        await sleep(holdMs);
      }
    }
  }
}
