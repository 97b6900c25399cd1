/** A timer that was set. */
export interface Timer {
  cancel(): void;
}

/** Time, timers and chance, as parameters: a test can hold them in its hand. */
export interface Clock {
  /** Milliseconds, with fractions, that only go forward; stands still while the machine is suspended. */
  monotonicMs(): number;
  /** Milliseconds since 1970 by the machine's own clock, which may be set. */
  wallMs(): number;
  /** Runs `task` once, `ms` from now. The timer does not keep the process alive. */
  after(ms: number, task: () => void): Timer;
  /** Runs `task` when the current turn of the event loop has asked for all it wants: after its promise jobs, before I/O. */
  endOfTurn(task: () => void): void;
  /** From 0 up to 1. */
  random(): number;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(ms, task) {
    const timeout = setTimeout(task, Math.max(0, Math.ceil(ms)));
    timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
  endOfTurn: (task) => queueMicrotask(() => process.nextTick(task)),
  random: () => Math.random(),
};
