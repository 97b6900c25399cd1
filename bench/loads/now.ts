import { setTimeout as sleep } from 'node:timers/promises';

const originMs = findOriginMs();

/** Of the machine's monotonic clock, which all processes share, ms. */
export function nowMs(): number {
  return originMs + performance.now();
}

export async function until(timeMs: number): Promise<void> {
  await sleep(Math.max(0, timeMs - nowMs()));
}

/**
 * What the process's own clock lacks of the shared one. Both are read many times, and the readings that took least
 * count: a process that is paused between the two would be some ms ahead of the others for as long as it lives.
 */
function findOriginMs(): number {
  let [shortestMs, foundMs] = [Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < 1000; i++) {
    const beforeMs = performance.now();
    const sharedMs = Number(process.hrtime.bigint()) / 1e6;
    const tookMs = performance.now() - beforeMs;
    if (tookMs < shortestMs) [shortestMs, foundMs] = [tookMs, sharedMs - beforeMs - tookMs / 2];
  }
  return foundMs;
}
