import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../contenders/contender.ts';
import { heapBytes } from './line.ts';
import { nowMs } from './now.ts';

/** Semaphores, each used once: one after the other, and then all at once. Against one, used as often. */
export interface NamesPlan {
  readonly name: string;
  readonly count: number;
  /** How long to wait before what is left is measured: whoever is idle may go then. Without it, it is not measured. */
  readonly settleMs: number | undefined;
}

export interface NamesResult {
  readonly onceEachMs: number;
  readonly allAtOnceMs: number;
  readonly oneMs: number;
  readonly oneAtOnceMs: number;
  /** What stays in the heap of each of so many further semaphores that were used once and let go, bytes. */
  readonly leftBytes: number | undefined;
}

export async function useNames(client: Client, { name, count, settleMs }: NamesPlan): Promise<NamesResult> {
  const names = Array.from({ length: count }, (_, i) => `${name}-${i}`);
  const one = await client.semaphore(`${name}-one`, count);

  const oneMs = await timed(async () => {
    for (let i = 0; i < count; i++) await one.release(await one.acquire());
  });
  const onceEachMs = await timed(() => useOnce(client, names));
  const oneAtOnceMs = await timed(async () => {
    await Promise.all(names.map(async () => one.release(await one.acquire())));
  });
  const allAtOnceMs = await timed(async () => {
    await Promise.all(
      names.map(async (each) => {
        const semaphore = await client.semaphore(each, 1);
        await semaphore.release(await semaphore.acquire());
      }),
    );
  });

  // Others than before: what grew for those has grown.
  if (settleMs === undefined) return { onceEachMs, allAtOnceMs, oneMs, oneAtOnceMs, leftBytes: undefined };
  const before = await settledHeapBytes(settleMs);
  await useOnce(
    client,
    names.map((each) => `${each}-more`),
  );
  const leftBytes = ((await settledHeapBytes(settleMs)) - before) / count;
  return { onceEachMs, allAtOnceMs, oneMs, oneAtOnceMs, leftBytes };
}

async function useOnce(client: Client, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const semaphore = await client.semaphore(name, 1);
    await semaphore.release(await semaphore.acquire());
  }
}

async function timed(run: () => Promise<void>): Promise<number> {
  globalThis.gc?.();
  const startedAtMs = nowMs();
  await run();
  return nowMs() - startedAtMs;
}

/** What is held weakly goes in a collection, and what was registered for its end in a turn after it. */
async function settledHeapBytes(settleMs: number): Promise<number> {
  await sleep(settleMs);
  for (let i = 0; i < 3; i++) {
    heapBytes();
    await sleep(0);
  }
  return heapBytes();
}
