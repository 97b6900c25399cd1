import { setTimeout as sleep } from 'node:timers/promises';

/** For servers that start or fail over, on a machine that may be busy. */
const limitMs = 30_000;

/**
 * Resolves with what the condition returns as soon as that is truthy; an error counts as not yet.
 *
 * @throws after 30 s, naming what was waited for
 */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T>,
): Promise<Exclude<T, false | undefined>> {
  const lastMs = performance.now() + limitMs;
  for (;;) {
    const value = await condition().catch(() => undefined);
    if (value) return value as Exclude<T, false | undefined>;
    if (performance.now() > lastMs) throw new Error(`Waited ${limitMs / 1000} s in vain until ${what}.`);
    await sleep(20);
  }
}
