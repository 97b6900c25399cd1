/** What every contender is asked to do; nothing that only one of them can. */
export interface Contender {
  open(setting: Setting): Promise<Client>;
}

export interface Setting {
  readonly url: string;
  /** Before every key, so that contenders on one server don't meet. */
  readonly prefix: string;
  /**
   * Many tasks share the process: connections pipeline by themselves (ioredis's `enableAutoPipelining`). It helps
   * every contender that sends a command for each call, and costs a lone task some latency.
   */
  readonly manyTasks: boolean;
}

/** What a process has open. */
export interface Client {
  semaphore(name: string, limit: number): Promise<Semaphore>;
  /** Ends it, whatever waits or is held. */
  close(): Promise<void>;
}

export interface Semaphore<Permit = unknown> {
  acquire(): Promise<Permit>;
  release(permit: Permit): unknown;
  /** How many wait, of all clients, where the contender can tell. */
  waiting?(): Promise<number>;
  /** A number that rises in the order in which the server granted, where there is one. */
  orderOf?(permit: Permit): number;
}
