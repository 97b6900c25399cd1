interface Watch {
  /** What is to be done when it aborts, in the order in which it was asked for. */
  readonly tasks: Set<() => void>;
  readonly listener: () => void;
}

const watches = new WeakMap<AbortSignal, Watch>();

/**
 * Runs `task` when the signal aborts. However many ask on one signal, it has one listener, and none when all have taken
 * it back: a program that hands its shutdown signal to a thousand requests is no leak, and is not warned of one.
 *
 * @returns the way to take it back
 */
export function onAbort(signal: AbortSignal, task: () => void): () => void {
  const watch = watches.get(signal) ?? startWatch(signal);
  watch.tasks.add(task);
  return () => {
    if (watch.tasks.delete(task) && watch.tasks.size === 0) {
      watches.delete(signal);
      signal.removeEventListener('abort', watch.listener);
    }
  };
}

function startWatch(signal: AbortSignal): Watch {
  const tasks = new Set<() => void>();
  const listener = () => {
    for (const task of [...tasks]) {
      task();
    }
  };
  const watch = { tasks, listener };
  watches.set(signal, watch);
  signal.addEventListener('abort', listener, { once: true });
  return watch;
}
