import type { Permit } from './permit.ts';

/** A permit, and a way to call off the task that runs under it. */
export interface Taken {
  readonly permit: Permit;
  abort(reason: unknown): void;
}

export interface ConcurrentMap<T, R, P extends Taken> {
  readonly items: Iterable<T> | AsyncIterable<T>;
  readonly fn: (item: T, permit: Permit, index: number) => R | PromiseLike<R>;
  /** Calls off everything, with its reason. */
  readonly signal: AbortSignal | undefined;
  /** Takes a permit; rejects when the signal aborts. */
  acquire(signal: AbortSignal): Promise<P>;
  /** Runs one task under its permit and releases it. */
  run(taken: P, task: () => R | PromiseLike<R>): Promise<R>;
}

/**
 * Maps items to results in their order, each under a permit of its own. One item is taken ahead and waits for its
 * permit; the next is taken when that one has come, so a million items queue nothing.
 *
 * The first failure calls off the rest: no item is taken any more, the one that waits leaves the line, the signals of
 * running tasks abort. It rejects when those have ended, so that nothing runs on unnoticed.
 */
export async function concurrentMap<T, R, P extends Taken>(map: ConcurrentMap<T, R, P>): Promise<R[]> {
  const { items, fn, acquire, run } = map;
  const results: R[] = [];
  const running = new Map<P, Promise<void>>();
  const stop = new AbortController();
  const signal = map.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, map.signal]);
  const fail = (reason: unknown) => {
    if (!stop.signal.aborted) {
      stop.abort(reason);
      for (const taken of running.keys()) {
        taken.abort(reason);
      }
    }
  };

  try {
    let index = 0;
    for await (const item of items) {
      if (stop.signal.aborted) {
        break;
      }
      const taken = await acquire(signal);
      const i = index++;
      const task = run(taken, () => {
        stop.signal.throwIfAborted(); // it came just as another failed
        return fn(item, taken.permit, i);
      });
      running.set(
        taken,
        task
          .then((result) => {
            results[i] = result;
          }, fail)
          .finally(() => running.delete(taken)),
      );
    }
  } catch (error) {
    fail(error);
  }
  await Promise.all(running.values());
  stop.signal.throwIfAborted();
  return results;
}
