import type { OpenReceiver, Receiver } from './receiver.ts';

export interface EarEvents {
  message(text: string): void;
  /** This channel is heard from now on. */
  listening(channel: string): void;
  /** The slot of this shard channel is another node's. */
  moved(channel: string): void;
  /** There are no shard channels here, or not for us. */
  unsupported(error: Error): void;
  /** It hears nothing any more. */
  failed(error: Error | undefined): void;
}

/**
 * Hears messages from one node of a Cluster, on classic or on shard channels. It is not mended: when it fails, or
 * anything unexpected happens on it, its maker makes another one.
 */
export class Ear {
  readonly address: string;
  /** What it is to hear. What was taken out may be heard for a while longer; that does no harm. */
  readonly channels = new Set<string>();
  readonly #receiver: Receiver;
  readonly #kind: 'classic' | 'shard';
  readonly #events: EarEvents;
  #isReady = false;
  #isClosed = false;

  /** @param address `host:port` */
  constructor(address: string, open: OpenReceiver, kind: 'classic' | 'shard', events: EarEvents) {
    this.address = address;
    this.#kind = kind;
    this.#events = events;
    this.#receiver = open({
      ready: () => {
        this.#isReady = true;
        this.channels.forEach((channel) => void this.#subscribe(channel));
      },
      message: (text) => {
        if (!this.#isClosed) {
          events.message(text);
        }
      },
      failed: (error) => this.#fail(error),
    });
  }

  join(channel: string): void {
    if (!this.channels.has(channel)) {
      this.channels.add(channel);
      if (this.#isReady) {
        void this.#subscribe(channel);
      }
    }
  }

  leave(channel: string): void {
    if (this.channels.delete(channel) && this.#isReady && !this.#isClosed) {
      this.#receiver.sunsubscribe(channel).catch(() => {}); // then the connection is gone too, or the slot
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#receiver.close();
  }

  async #subscribe(channel: string): Promise<void> {
    try {
      await (this.#kind === 'classic'
        ? this.#receiver.subscribe(channel)
        : this.#receiver.ssubscribe(channel));
      if (!this.#isClosed && this.channels.has(channel)) {
        this.#events.listening(channel);
      }
    } catch (error) {
      if (!this.#isClosed && this.channels.has(channel)) {
        this.#hearRefusal(channel, error as Error);
      }
    }
  }

  #hearRefusal(channel: string, error: Error): void {
    if (error.message.startsWith('MOVED')) {
      this.#events.moved(channel);
    } else if (this.#kind === 'shard' && /^NOPERM|unknown command/.test(error.message)) {
      this.#events.unsupported(error);
    } else {
      this.#fail(error);
    }
  }

  #fail(error?: Error): void {
    if (!this.#isClosed) {
      this.#isClosed = true;
      const isNews = error !== undefined && !/^Connection is closed|^Command queue state/.test(error.message);
      this.#events.failed(isNews ? error : undefined);
    }
  }
}
