/** The longest pause between two attempts to connect, ms, where nothing has to be put back in time. */
const longestPauseMs = 2_000;

/**
 * The pause before another attempt to connect, ms: longer from attempt to attempt, and half of it chance, so that many
 * clients don't come back at the same moment.
 */
export function pauseMs(attempt: number, longestMs = longestPauseMs): number {
  return Math.min(longestMs, 50 * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random() / 2);
}

/** How patient a connection of our own is with a server that is away, ms. */
export interface Dialling {
  /** The longest pause between two attempts, and before a server that loads its data is asked again. */
  readonly pauseMs: number;
  /** How long one attempt may take. */
  readonly attemptMs: number;
}

/**
 * Whoever was away with Redis has half a presence time to put back what it held, from when the first has done so
 * (`restoration.ts`). So the pause is a quarter of it at most. An attempt that gets no answer at all, since
 * packets vanish, must not outlast it either: the system repeats them ever more rarely.
 */
export function diallingFor(presenceMs: number): Dialling {
  return {
    pauseMs: Math.min(longestPauseMs, presenceMs / 4),
    attemptMs: Math.min(10_000, Math.max(2_000, Math.floor(presenceMs / 2))),
  };
}
