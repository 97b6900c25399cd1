import { setTimeout as sleep } from 'node:timers/promises';
import type { Semaphore } from '../contenders/contender.ts';
import { nowMs, until } from './now.ts';

/** So many tasks acquire, hold, release, and do it again. */
export interface PairsPlan {
  readonly name: string;
  readonly limit: number;
  readonly tasks: number;
  readonly holdMs: number;
  /** Of the clock that all processes share, so that they begin together. */
  readonly startAtMs: number;
  /** Not counted. */
  readonly warmUpMs: number;
  readonly countedMs: number;
  /** Whether each grant is written down. */
  readonly log: boolean;
}

export interface PairsResult {
  /** All that were made, warm-up and last ones included: what the server's CPU is divided by. */
  readonly pairs: number;
  /** Ended within the counted time. */
  readonly counted: number;
  /** Of the grants asked for within the counted time, if they were to be written down. */
  readonly log: GrantLog | undefined;
}

/** One entry of each array for a grant. */
export interface GrantLog {
  readonly task: readonly number[];
  readonly askedAtMs: readonly number[];
  /** When the request had left the process at the latest: its event loop was past the turn in which it asked. */
  readonly sentByMs: readonly number[];
  readonly grantedAtMs: readonly number[];
  /** By the server, where the contender tells; else empty. */
  readonly order: readonly number[];
}

export async function makePairs(semaphore: Semaphore, plan: PairsPlan): Promise<PairsResult> {
  const load = new Pairs(semaphore, plan);
  await until(plan.startAtMs);
  await Promise.all(Array.from({ length: plan.tasks }, (_, task) => load.runTask(task)));
  return { pairs: load.pairs, counted: load.counted, log: plan.log ? load.log : undefined };
}

class Pairs {
  pairs = 0;
  counted = 0;
  readonly log = {
    task: [] as number[],
    askedAtMs: [] as number[],
    sentByMs: [] as number[],
    grantedAtMs: [] as number[],
    order: [] as number[],
  };
  readonly #semaphore: Semaphore;
  readonly #plan: PairsPlan;
  readonly #fromMs: number;
  readonly #untilMs: number;

  constructor(semaphore: Semaphore, plan: PairsPlan) {
    this.#semaphore = semaphore;
    this.#plan = plan;
    this.#fromMs = plan.startAtMs + plan.warmUpMs;
    this.#untilMs = this.#fromMs + plan.countedMs;
  }

  async runTask(task: number): Promise<void> {
    const { holdMs, log } = this.#plan;
    let askedAtMs = nowMs();
    while (askedAtMs < this.#untilMs) {
      const sent = log ? noteSending() : undefined;
      const permit = await this.#semaphore.acquire();
      if (sent && askedAtMs >= this.#fromMs) this.#write(task, askedAtMs, sent.byMs, permit);
      if (holdMs > 0) await sleep(holdMs);
      await this.#semaphore.release(permit);
      const endedAtMs = nowMs();
      this.pairs++;
      if (endedAtMs >= this.#fromMs && endedAtMs < this.#untilMs) this.counted++;
      askedAtMs = endedAtMs;
    }
  }

  #write(task: number, askedAtMs: number, sentByMs: number, permit: unknown): void {
    this.log.task.push(task);
    this.log.askedAtMs.push(askedAtMs);
    const grantedAtMs = nowMs();
    this.log.sentByMs.push(Math.min(sentByMs, grantedAtMs));
    this.log.grantedAtMs.push(grantedAtMs);
    if (this.#semaphore.orderOf) this.log.order.push(this.#semaphore.orderOf(permit));
  }
}

function noteSending(): { byMs: number } {
  const sent = { byMs: Number.POSITIVE_INFINITY };
  // Two turns, since some connections send at the end of the first.
  setImmediate(() =>
    setImmediate(() => {
      sent.byMs = nowMs();
    }),
  );
  return sent;
}
