import type { ChaosSettings } from './history.ts';

/** Times are short, so that in a minute there are as many leases and presence times as in half an hour elsewhere. */
export const defaults = {
  lanes: 4,
  limit: 8,
  presenceMs: 2_000,
  attemptTimeoutMs: 700,
  unavailableAfterMs: 5_000,
  leaseMs: [700, 1_900],
  holdMs: 4_000,
  calmHoldMs: 20,
} as const satisfies Partial<ChaosSettings>;

/** The longest pause between two attempts to connect: of a connection that is lent, or one that hears messages. */
export const reconnectMs = 2_000;

/** What a busy machine may add to anything. */
export const slackMs = 1_000;

/** Within what time whoever lives finds a change: a beat, whose first attempt may be lost. */
export function checkInMs(settings: ChaosSettings): number {
  return settings.presenceMs / 3 + settings.attemptTimeoutMs;
}

/**
 * Within what time every request is served once the faults have ended. In the worst case, one after the other:
 * connections come back, a loss of data is found, the semaphore is closed, the dead leave the line, leases of the dead
 * end, those that hold end, the line is served one by one.
 */
export function recoveryBoundMs(settings: ChaosSettings): number {
  const { presenceMs, attemptTimeoutMs, leaseMs, holdMs, calmHoldMs, workers, lanes } = settings;
  const back = reconnectMs + 2 * attemptTimeoutMs;
  const found = presenceMs / 3 + presenceMs / 2;
  const dead = presenceMs + presenceMs / 3 + leaseMs[1];
  const served = holdMs + workers * lanes * (calmHoldMs + 30);
  return back + found + dead + served + slackMs;
}
