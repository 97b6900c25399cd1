import type { OpenReceiver } from './receiver.ts';

/** What a library knows of a Cluster. Addresses are `host:port`, as the slots name them. */
export interface ClusterView {
  readonly keyPrefix: string;
  /** Of all nodes that it has connections for. */
  addresses(): string[];
  primaries(): string[];
  primaryOf(slot: number): string | undefined;
  /** Has the nodes asked who has which slots. */
  refresh(): void;
  /**
   * Calls when that may have changed.
   *
   * @returns the way to stop
   */
  onChange(listener: () => void): () => void;
  /** How to listen to a node; `undefined` when it is none of the Cluster. */
  receiverAt(address: string): OpenReceiver | undefined;
}
