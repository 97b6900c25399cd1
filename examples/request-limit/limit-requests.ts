import { AcquireTimeoutError, QueueFullError, type Semaphore } from 'parkade';

/** An answer that is no success. Fastify answers with its status and headers by itself, Hono by `getResponse`. */
export class HttpError extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }

  getResponse(): Response {
    return new Response(this.message, { status: this.status, headers: this.headers });
  }
}

/**
 * Has requests wait for a permit while they are handled: in line, for `timeoutMs` at most. Who does not get one is told
 * with a 503 how long it takes, at the pace of late, to serve those who wait now.
 *
 * @returns a function that takes what aborts when the client has gone, and what to do with a permit
 */
export function limitRequests(semaphore: Semaphore, timeoutMs: number) {
  let holdMs: number | undefined; // as this process sees it; the last requests count most

  const tooBusy = (waiting: number) => {
    const seconds = Math.max(1, Math.ceil((waiting * (holdMs ?? 0)) / semaphore.limit / 1000));
    const pace = `${semaphore.limit} at once, ${((holdMs ?? 0) / 1000).toFixed(2)} s each`;
    return new HttpError(503, `${waiting} wait in line, ${pace}`, { 'retry-after': `${seconds}` });
  };

  return async <R>(gone: AbortSignal, handle: (signal: AbortSignal) => Promise<R>): Promise<R> => {
    const handleUnderPermit = async ({ signal }: { signal: AbortSignal }) => {
      const startMs = performance.now();
      const result = await handle(AbortSignal.any([signal, gone]));
      const tookMs = performance.now() - startMs;
      holdMs = holdMs === undefined ? tookMs : holdMs + (tookMs - holdMs) / 8;
      return result;
    };
    try {
      return await semaphore.run(handleUnderPermit, { timeoutMs, signal: gone });
    } catch (error) {
      if (gone.aborted) {
        throw new HttpError(499, 'The client has gone.');
      }
      if (error instanceof QueueFullError && error.semaphore === semaphore.name) {
        throw tooBusy(error.waiting);
      }
      if (error instanceof AcquireTimeoutError && error.semaphore === semaphore.name) {
        throw tooBusy((await semaphore.inspect({ pageSize: 1 })).waiting);
      }
      throw error;
    }
  };
}
