import { expect, it } from 'vitest';
import type { Clock, Timer } from '../../src/clock.ts';
import { Keeper } from '../../src/keeper.ts';
import { Lease } from '../../src/lease.ts';

/** Timers go by the time that the machine is awake, as the event loop's do; `monotonicMs` includes suspensions. */
class SuspendableClock implements Clock {
  #nowMs = 1_000;
  #awakeMs = 0;
  readonly #timers = new Set<{ readonly atMs: number; readonly task: () => void }>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(ms: number, task: () => void): Timer {
    const timer = { atMs: this.#awakeMs + Math.max(0, ms), task };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  afterReading(ms: number, task: () => void): Timer {
    return this.after(ms, task);
  }

  endOfTurn(task: () => void): void {
    task();
  }

  random(): number {
    return 0.5;
  }

  suspend(ms: number): void {
    this.#nowMs += ms;
  }

  run(ms: number): void {
    for (let i = 0; i < ms; i++) {
      this.#nowMs++;
      this.#awakeMs++;
      for (const timer of [...this.#timers]) {
        if (timer.atMs <= this.#awakeMs && this.#timers.delete(timer)) timer.task();
      }
    }
  }
}

function holding(leaseMs: number) {
  const clock = new SuspendableClock();
  const expired: Lease[] = [];
  let renewals = 0;
  const keeper = new Keeper(clock, {
    renew: () => renewals++,
    expired(lease) {
      expired.push(lease);
      keeper.remove(lease);
    },
  });
  const grant = { record: 'a/1/1/1', weight: 1, token: 1, expiresAtMs: 0 };
  const upkeep = { leaseMs, renew: false, maxHoldMs: Number.POSITIVE_INFINITY };
  const lease = new Lease(grant, upkeep, clock.monotonicMs() + leaseMs, clock, () => {});
  keeper.add(lease);
  return { clock, expired, lease };
}

it('a deadline that passed while the machine was suspended is noticed within a second of its waking up', () => {
  const { clock, expired, lease } = holding(60_000);
  clock.run(5_000);
  clock.suspend(600_000);
  clock.run(1_000);
  expect(expired).toEqual([lease]);
});

it('a deadline that is not reached is not announced, however often it is looked at', () => {
  const { clock, expired, lease } = holding(60_000);
  clock.run(59_999);
  expect(expired).toEqual([]);
  clock.run(1);
  expect(expired).toEqual([lease]);
});
