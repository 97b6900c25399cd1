import type { Permit } from './permit.ts';

/** A permit, and a way to call off the task that runs under it. */
export interface Taken {
  readonly permit: Permit;
  /** Whether it had to wait in line. */
  readonly waited: boolean;
  abort(reason: unknown): void;
}

export interface ConcurrentMap<T, R, P extends Taken> {
  readonly items: Iterable<T> | AsyncIterable<T>;
  readonly fn: (item: T, permit: Permit, index: number) => R | PromiseLike<R>;
  /** Calls off everything, with its reason. */
  readonly signal: AbortSignal | undefined;
  /** How many tasks can run at once at most, as far as is known. */
  mostAtOnce(): number;
  /** Takes a permit; rejects when the signal aborts. */
  acquire(signal: AbortSignal): Promise<P>;
  /** Runs one task under its permit and releases it. Says that it failed before the permit goes to the next. */
  run(taken: P, task: () => R | PromiseLike<R>, failed: (reason: unknown) => void): Promise<R>;
}

/**
 * Maps items to results in their order, each under a permit of its own. Items are taken as permits come: one is asked
 * for at first, one more at once for each permit that came without waiting, and one alone again after one that had to
 * wait; never more than can run at once, plus one. So free permits are soon all in use, by twice as many with each round
 * trip, while a million items queue next to nothing where others are in line.
 *
 * The first failure calls off the rest: no item is taken any more, those that wait leave the line, the signals of
 * running tasks abort. It rejects when those have ended, so that nothing runs on unnoticed; a source that is silent is
 * not waited for.
 */
export async function concurrentMap<T, R, P extends Taken>(map: ConcurrentMap<T, R, P>): Promise<R[]> {
  const results: R[] = [];
  const open = new Set<Promise<void>>();
  const running = new Set<P>();
  const stop = new AbortController();
  let asking = 0;
  let mostAsking = 1;
  let wake = () => {};

  const fail = (reason: unknown) => {
    if (!stop.signal.aborted) {
      stop.abort(reason);
      for (const taken of running) {
        taken.abort(reason);
      }
      wake();
    }
  };
  const mayTake = () => asking === 0 || (asking < mostAsking && asking + running.size < map.mostAtOnce());

  const handle = async (item: T, index: number) => {
    try {
      asking++;
      const taken = await map.acquire(stop.signal).finally(() => asking--);
      mostAsking = taken.waited ? 1 : mostAsking + 1;
      running.add(taken);
      wake();
      const task = () => {
        stop.signal.throwIfAborted(); // its permit came just as another failed
        return map.fn(item, taken.permit, index);
      };
      results[index] = await map.run(taken, task, fail).finally(() => running.delete(taken));
    } catch (error) {
      fail(error);
    }
    wake();
  };

  const onAbort = () => fail(map.signal?.reason);
  map.signal?.addEventListener('abort', onAbort, { once: true });
  const source = iterate(map.items);
  try {
    map.signal?.throwIfAborted();
    for (let index = 0; !stop.signal.aborted; ) {
      if (!mayTake()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
        wake = () => stop.signal.aborted && resolve({ done: true, value: undefined });
        source.next().then(resolve, reject);
      });
      if (next.done) {
        break;
      }
      const handled: Promise<void> = handle(next.value, index++).finally(() => open.delete(handled));
      open.add(handled);
    }
  } catch (error) {
    fail(error);
  }
  if (stop.signal.aborted) {
    source.close();
  }
  await Promise.all(open);
  map.signal?.removeEventListener('abort', onAbort);
  stop.signal.throwIfAborted();
  return results;
}

interface Source<T> {
  next(): Promise<IteratorResult<T>>;
  /** Lets the source clean up, and does not wait for it: it may be silent for ever. */
  close(): void;
}

function iterate<T>(items: Iterable<T> | AsyncIterable<T>): Source<T> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  return {
    next: async () => iterator.next(),
    close: () => {
      const closing = async () => iterator.return?.();
      closing().catch(() => {}); // the map has failed already, with another reason
    },
  };
}
