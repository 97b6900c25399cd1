import { setTimeout as sleep } from 'node:timers/promises';
import type { Semaphore } from '../contenders/contender.ts';
import type { ServerProbe } from '../server-probe.ts';
import { nowMs } from './now.ts';

/** A line of waiters behind a semaphore that is held, which is then let go: how fast it drains. */
export interface DrainPlan {
  readonly name: string;
  readonly limit: number;
  readonly waiters: number;
}

export interface DrainResult {
  /** From the first release to the last grant. */
  readonly tookMs: number;
  /** CPU time of the server in that time, µs. */
  readonly serverUs: number;
}

export async function drain(
  semaphore: Semaphore,
  { limit, waiters }: DrainPlan,
  probe: ServerProbe,
): Promise<DrainResult> {
  const held = await Promise.all(Array.from({ length: limit }, () => semaphore.acquire()));
  let granted = 0;
  let lastGrantAtMs = 0;
  const oneWaiter = async () => {
    const permit = await semaphore.acquire();
    granted++;
    lastGrantAtMs = nowMs();
    await semaphore.release(permit);
  };
  const asked: Promise<void>[] = [];
  await fillLine(semaphore, waiters, () => asked.push(oneWaiter()));
  if (granted > 0) throw new Error(`${granted} were granted although the limit was reached.`);

  globalThis.gc?.();
  const before = await probe.cpuUs();
  const startedAtMs = nowMs();
  await Promise.all(held.map((permit) => semaphore.release(permit)));
  await Promise.all(asked);
  const serverUs = (await probe.cpuUs()) - before;
  return { tookMs: lastGrantAtMs - startedAtMs, serverUs };
}

/**
 * Has one more ask until so many wait, some thousands at a time: how fast a line grows is not what is measured, and a
 * busy machine should not take minutes to answer the last of all.
 */
export async function fillLine(
  semaphore: Semaphore,
  waiters: number,
  ask: () => void,
  from = 0,
): Promise<void> {
  for (let waiting = from; waiting < waiters; ) {
    const next = Math.min(waiters, waiting + 5_000);
    for (; waiting < next; waiting++) ask();
    await inLine(semaphore, next);
  }
}

/** Resolves when so many wait. Who can't tell has no line; all have asked once after a while. */
export async function inLine(semaphore: Semaphore, waiters: number): Promise<void> {
  if (semaphore.waiting === undefined) {
    await sleep(500);
    return;
  }
  while ((await semaphore.waiting()) < waiters) await sleep(5);
}
