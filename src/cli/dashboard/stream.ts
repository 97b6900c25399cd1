import type { SSEStreamingApi } from 'hono/streaming';
import type { Hello } from './messages.ts';
import type { Poller } from './poller.ts';

/** The page takes a stream that says nothing for some times this for dead. */
const beatMs = 5_000;

export interface StreamSettings {
  /** The semaphore whose holders and waiters are told, too. */
  readonly open: string | undefined;
  /** How many of them at most. */
  readonly size: number;
  readonly about: Omit<Hello, keyof ReturnType<Poller['everything']>>;
}

/** Tells one browser everything, then what each look has changed. Ends when either side ends it. */
export async function tellLooks(
  sse: SSEStreamingApi,
  poller: Poller,
  { open, size, about }: StreamSettings,
  end: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const stop = () => over.abort();
  end.addEventListener('abort', stop);
  sse.onAbort(stop);
  let isWriting = false;
  const tell = async (event: string, data: unknown) => {
    isWriting = true;
    await sse.writeSSE({ event, data: JSON.stringify(data) }); // takes as long as the browser does
    isWriting = false;
  };
  const beat = setInterval(() => {
    if (!isWriting) void tell('beat', null);
  }, beatMs);
  const leave = poller.join();
  try {
    let told = poller.lookNo;
    await tell('hello', { ...about, ...poller.everything() });
    if (open !== undefined) {
      await tell('history', poller.historyOf(open));
    }
    while (!over.signal.aborted) {
      if (open !== undefined) {
        const detail = await poller.detailOf(open, size).catch(() => undefined); // the next look says why
        if (detail) {
          await tell('detail', detail);
        }
      }
      if (poller.lookNo === told) {
        await poller.nextLook(over.signal);
      }
      const changes = poller.since(told);
      told = poller.lookNo;
      if (!over.signal.aborted) {
        await (changes ? tell('look', changes) : tell('hello', { ...about, ...poller.everything() }));
      }
    }
    if (end.aborted && !sse.aborted) {
      await tell('end', null);
    }
  } finally {
    leave();
    clearInterval(beat);
    end.removeEventListener('abort', stop);
  }
}
