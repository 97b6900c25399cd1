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
  const all = Promise.all(Array.from({ length: waiters }, oneWaiter));
  await inLine(semaphore, waiters);
  if (granted > 0) throw new Error(`${granted} were granted although the limit was reached.`);

  globalThis.gc?.();
  const before = await probe.cpuUs();
  const startedAtMs = nowMs();
  await Promise.all(held.map((permit) => semaphore.release(permit)));
  await all;
  const serverUs = (await probe.cpuUs()) - before;
  return { tookMs: lastGrantAtMs - startedAtMs, serverUs };
}

/** Resolves when so many wait. Who can't tell has no line; all have asked once after a while. */
export async function inLine(semaphore: Semaphore, waiters: number): Promise<void> {
  if (semaphore.waiting === undefined) {
    await sleep(500);
    return;
  }
  while ((await semaphore.waiting()) < waiters) await sleep(5);
}
