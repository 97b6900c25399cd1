/** A connection that hears messages and is never mended: when it fails, its maker makes another one. */
export interface Receiver {
  subscribe(channel: string): Promise<unknown>;
  /** Shard channels; rejects where library or server has none. */
  ssubscribe(channel: string): Promise<unknown>;
  sunsubscribe(channel: string): Promise<unknown>;
  close(): void;
}

interface ReceiverEvents {
  ready(): void;
  message(text: string): void;
  /** It hears nothing any more; said once. */
  failed(error?: Error): void;
}

export type OpenReceiver = (events: ReceiverEvents) => Receiver;
