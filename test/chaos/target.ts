import type { FaultKind } from './fault-kinds.ts';

/** The Redis that a chaos run torments: a server of its own, or later a Sentinel group or a Cluster. */
export interface Target {
  readonly description: string;
  /** Where the proxies lead; the same for the target's whole life. */
  readonly url: string;
  /** Which faults can't be made here, and why. */
  readonly impossible: ReadonlyMap<FaultKind, string>;
  /** Resolves when the server is back; its data kept or gone. `graceful` lets it end by itself, otherwise it is killed. */
  restart(how: { keep: boolean; graceful: boolean; awayMs: number }): Promise<void>;
  /** Sets the server's clock forward, or back with a negative number. */
  shiftClock(ms: number): void;
  /** The server's process, to be stopped for a while. */
  pid(): number | undefined;
  stop(): Promise<void>;
}
