/** A timer that was set. */
export interface Timer {
  cancel(): void;
}

/** Time, timers and chance, as parameters: a test can hold them in its hand. */
export interface Clock {
  /** Milliseconds, with fractions, that only go forward, also while the machine is suspended. */
  monotonicMs(): number;
  /** Runs `task` once, `ms` from now. The timer does not keep the process alive. */
  after(ms: number, task: () => void): Timer;
  /**
   * As `after`, but when what had arrived by then was read: an event loop that was busy runs its timers first, and a
   * reply that is there must not count as missing.
   */
  afterReading(ms: number, task: () => void): Timer;
  /** Runs `task` when the current turn of the event loop has asked for all it wants: after its promise jobs, before I/O. */
  endOfTurn(task: () => void): void;
  /** From 0 up to 1. */
  random(): number;
}

export const systemClock: Clock = {
  monotonicMs: unsuspended(
    () => performance.now(),
    () => Date.now(),
  ),
  after(ms, task) {
    const timeout = setTimeout(task, Math.max(0, Math.ceil(ms))).unref();
    return { cancel: () => clearTimeout(timeout) };
  },
  afterReading(ms, task) {
    let immediate: NodeJS.Immediate | undefined;
    const timeout = setTimeout(
      () => {
        immediate = setImmediate(task);
      },
      Math.max(0, Math.ceil(ms)),
    ).unref();
    return {
      cancel() {
        clearTimeout(timeout);
        clearImmediate(immediate);
      },
    };
  },
  endOfTurn: (task) => queueMicrotask(() => process.nextTick(task)),
  random: () => Math.random(),
};

/**
 * A monotonic clock stands still while its machine is suspended, and the lease of a permit does not: what the wall clock
 * has gained on it since the last look is time that has passed, too. (So is a wall clock that was set forward, by as
 * much as that; a permit may then be given up too early, never too late.) Less than 20 ms and 0.1 % is the difference
 * between two clocks that run.
 */
export function unsuspended(monotonicMs: () => number, wallMs: () => number): () => number {
  let lastMs = monotonicMs();
  let lastWallMs = wallMs();
  let suspendedMs = 0;
  return () => {
    const nowMs = monotonicMs();
    const nowWallMs = wallMs();
    const passedMs = nowMs - lastMs;
    const gainedMs = nowWallMs - lastWallMs - passedMs;
    if (gainedMs > 20 + passedMs * 0.001) {
      suspendedMs += gainedMs;
    }
    lastMs = nowMs;
    lastWallMs = nowWallMs;
    return nowMs + suspendedMs;
  };
}
