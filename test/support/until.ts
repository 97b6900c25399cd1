import { setTimeout as sleep } from 'node:timers/promises';

/** `npm run mutants` makes it shorter: there, many conditions never come. */
const patienceMs = Number(process.env['PARKADE_PATIENCE_MS'] ?? 15_000);

/**
 * Resolves with what the condition returns as soon as that is truthy; looks every few ms.
 *
 * @throws after `withinMs`, naming what was waited for
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  withinMs = patienceMs,
): Promise<Exclude<T, false | undefined | null>> {
  const lastMs = performance.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value) return value as Exclude<T, false | undefined | null>;
    if (performance.now() > lastMs) throw new Error(`Waited ${withinMs} ms in vain until ${what}.`);
    await sleep(5);
  }
}

/** Where a promise stands, to be asked at any time. Its rejection counts as handled. */
export interface Outcome<T> {
  state: 'pending' | 'resolved' | 'rejected';
  value?: T;
  reason?: unknown;
}

export function watch<T>(promise: Promise<T>): Outcome<T> {
  const outcome: Outcome<T> = { state: 'pending' };
  promise.then(
    (value) => Object.assign(outcome, { state: 'resolved', value }),
    (reason: unknown) => Object.assign(outcome, { state: 'rejected', reason }),
  );
  return outcome;
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`It resolved, to ${String(value)}.`);
    },
    (reason: unknown) => reason,
  );
}

/** How long a promise takes to settle, ms. */
export async function timed(promise: Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await promise.catch(() => {});
  return performance.now() - startMs;
}
