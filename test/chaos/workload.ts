import { setTimeout as sleep } from 'node:timers/promises';
import type { Permit, Semaphore } from '../../src/index.ts';
import { type How, nowUs, type Refusal, type ReleaseKind, type WorkerEvent } from './history.ts';
import type { Random } from './random.ts';
import type { StoreClient } from './store-client.ts';

export interface WorkloadSettings {
  readonly lanes: number;
  readonly leaseMs: readonly [number, number];
  readonly holdMs: number;
  readonly calmHoldMs: number;
}

interface Parts {
  readonly semaphore: Semaphore;
  readonly store: StoreClient;
  readonly random: Random;
  readonly log: (event: WorkerEvent) => void;
  /** When the event loop was last seen to turn. */
  readonly tickedAt: () => number;
}

/**
 * What one worker does all the time: several lanes, each of which asks for a permit, enters the store with it, stays
 * a while, leaves, gives the permit back, and asks again. Some requests have time-outs, some are aborted, some only try;
 * some holds outlast the lease many times; some permits are given back twice, or not by their holder.
 */
export class Workload {
  readonly #parts: Parts;
  readonly #settings: WorkloadSettings;
  #lastRequest = 0;
  #calm = false;
  #draining = false;

  constructor(parts: Parts, settings: WorkloadSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  /** From now on holds are short. */
  calm(): void {
    this.#calm = true;
  }

  /** From now on nothing is asked for. */
  drain(): void {
    this.#draining = true;
  }

  /** Resolves when all is settled after `drain`. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#settings.lanes }, () => this.#lane()));
  }

  async #lane(): Promise<void> {
    while (!this.#draining) {
      await sleep(this.#parts.random.below(60));
      await this.#request();
    }
  }

  async #request(): Promise<void> {
    const { random, semaphore, log } = this.#parts;
    const request = ++this.#lastRequest;
    const [shortest, longest] = this.#settings.leaseMs;
    // Named by its lease: see `ask` in history.ts.
    const leaseMs = shortest + (request % (longest - shortest + 1));
    const weight = 1 + (random.weighted([0, 1, 2], (extra) => [6, 3, 1][extra] as number) ?? 0);
    const how: How = random.weighted(['acquire', 'run', 'try'] as const, (one) => shares[one]) ?? 'acquire';
    const timeoutMs = random.chance(0.3) && how !== 'try' ? random.between(5, 2_500) : undefined;
    const signal =
      random.chance(0.1) && how !== 'try' ? AbortSignal.timeout(random.between(0, 1_500)) : undefined;
    const options = {
      weight,
      leaseMs,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(signal && { signal }),
    };
    const use = (permit: Permit) => this.#use(permit, request, how);
    log({
      kind: 'ask',
      at: nowUs(),
      request,
      weight,
      leaseMs,
      how,
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    try {
      if (how === 'run') {
        await semaphore.run(use, options).catch(unlessLost);
      } else if (how === 'try') {
        const permit = await semaphore.tryAcquire({ weight, leaseMs });
        if (permit === null) {
          log({ kind: 'refused', at: nowUs(), request, outcome: 'not at once' });
        } else {
          await use(permit);
        }
      } else {
        await use(await semaphore.acquire(options));
      }
    } catch (error) {
      log({ kind: 'refused', at: nowUs(), request, ...reasonOf(error, signal) });
    }
  }

  /** From the grant to the last release. Nothing here throws. */
  async #use(permit: Permit, request: number, how: How): Promise<void> {
    const { log, random, store, semaphore, tickedAt } = this.#parts;
    const { id, weight, fencingToken: token, signal } = permit;
    const at = nowUs();
    log({ kind: 'granted', at, request, permit: id, token, weight, held: permit.isHeld });
    const tell = () => log({ kind: 'lost', at: nowUs(), permit: id, tickedAt: tickedAt() });
    if (signal.aborted) {
      tell();
    } else {
      signal.addEventListener('abort', tell, { once: true });
    }

    const { neighbour } = await store.ask({ op: 'enter', permit: id, token, weight });
    const partsOfHold = random.between(1, 3);
    const holdMs = this.#drawHoldMs() / partsOfHold;
    for (let part = 0; part < partsOfHold && !signal.aborted; part++) {
      await sleep(holdMs, undefined, { signal }).catch(() => {});
      const askedAt = nowUs();
      if (permit.isHeld) {
        log({ kind: 'trusts', at: askedAt, permit: id });
        await store.ask({ op: 'write', permit: id });
      }
    }
    await store.ask({ op: 'leave', permit: id });

    if (neighbour !== undefined && random.chance(0.03)) {
      await this.#release(neighbour, 'foreign', () => semaphore.release({ id: neighbour }));
    }
    log({ kind: 'releasing', at: nowUs(), permit: id, held: permit.isHeld, tickedAt: tickedAt() });
    if (how !== 'run' || random.chance(0.5)) {
      await this.#release(id, 'first', () => permit.release());
      if (random.chance(0.1)) {
        await this.#release(id, 'again', () => permit.release());
      }
    }
  }

  async #release(permit: string, which: ReleaseKind, release: () => Promise<boolean>): Promise<void> {
    const result = await release().catch((error: unknown) => reasonOf(error, undefined).code ?? 'unknown');
    this.#parts.log({ kind: 'released', at: nowUs(), permit, which, result });
  }

  #drawHoldMs(): number {
    const { random } = this.#parts;
    const { holdMs, calmHoldMs } = this.#settings;
    if (this.#calm) {
      return random.below(calmHoldMs);
    }
    const most = random.weighted([20, 200, holdMs], (one) => (one === 20 ? 78 : one === 200 ? 17 : 5)) ?? 20;
    return random.below(most);
  }
}

const shares: Record<How, number> = { acquire: 7, run: 2, try: 1 };

/** `run` says that the permit was lost after it had been used; that is in the history already. */
function unlessLost(error: unknown): void {
  if ((error as { code?: unknown }).code !== 'PERMIT_LOST') {
    throw error;
  }
}

function reasonOf(error: unknown, signal: AbortSignal | undefined): { outcome: Refusal; code?: string } {
  if (signal?.aborted && error === signal.reason) {
    return { outcome: 'aborted' };
  }
  const { code, message } = error as { code?: string; message?: string };
  if (code === 'ACQUIRE_TIMEOUT') {
    return { outcome: 'timed out' };
  }
  return { outcome: 'error', code: code ?? `${message ?? error}` };
}
