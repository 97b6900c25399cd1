import { letProcessEnd, type NodeLike } from './ioredis-like.ts';
import { type SilenceWatch, watchSilence } from './silence.ts';

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
 * A connection to one node of a Cluster that hears messages, on classic or on shard channels. It is not mended: when it
 * fails, or anything unexpected happens on it, its maker makes another one.
 */
export class Ear {
  readonly address: string;
  /** What it is to hear. What was taken out may be heard for a while longer; that does no harm. */
  readonly channels = new Set<string>();
  readonly #redis: NodeLike;
  readonly #silence: SilenceWatch;
  readonly #kind: 'classic' | 'shard';
  readonly #events: EarEvents;
  #isReady = false;
  #isClosed = false;

  /**
   * @param address `host:port`
   * @param node the Cluster's own connection to that node, as a model
   */
  constructor(address: string, node: NodeLike, kind: 'classic' | 'shard', events: EarEvents) {
    this.address = address;
    this.#kind = kind;
    this.#events = events;
    this.#redis = node.duplicate({
      retryStrategy: null,
      reconnectOnError: null,
      autoResubscribe: false,
      enableOfflineQueue: true,
      enableReadyCheck: false,
      maxRetriesPerRequest: null,
      lazyConnect: false,
      readOnly: false,
      keyPrefix: '',
      connectionName: 'parkade-subscriber',
    }) as NodeLike;
    letProcessEnd(this.#redis);
    this.#silence = watchSilence(this.#redis);
    this.#redis.on(kind === 'shard' ? 'smessage' : 'message', (_channel: string, text: string) => {
      if (!this.#isClosed) {
        events.message(text);
      }
    });
    this.#redis.on('ready', () => {
      this.#isReady = true;
      this.channels.forEach((channel) => void this.#subscribe(channel));
    });
    this.#redis.on('error', (error: Error) => this.#fail(error));
    this.#redis.on('end', () => this.#fail());
    // The slot of a shard channel has moved, and nothing says which. Older versions say this by an error (below).
    this.#redis.on('moved', () => this.#fail());
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
      const gone = this.#redis.sunsubscribe?.(channel);
      gone?.catch(() => {}); // then the connection is gone too, or the slot
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#silence.stop();
    this.#redis.disconnect();
  }

  async #subscribe(channel: string): Promise<void> {
    try {
      if (this.#kind === 'classic') {
        await this.#redis.subscribe(channel);
      } else if (this.#redis.ssubscribe !== undefined) {
        await this.#redis.ssubscribe(channel);
      } else {
        throw new Error('unknown command: this version of the library has no shard channels');
      }
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
