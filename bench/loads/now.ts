import { setTimeout as sleep } from 'node:timers/promises';

const originMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Of the machine's monotonic clock, which all processes share, ms. */
export function nowMs(): number {
  return originMs + performance.now();
}

export async function until(timeMs: number): Promise<void> {
  await sleep(Math.max(0, timeMs - nowMs()));
}
