// The types that redlock ships can't be found through its package's exports.
declare module 'redlock' {
  import type { Redis } from 'ioredis';

  export interface Lock {
    release(): Promise<unknown>;
  }

  class Redlock {
    constructor(clients: readonly Redis[], settings?: { readonly retryCount?: number });
    acquire(resources: string[], durationMs: number): Promise<Lock>;
  }

  // biome-ignore lint/style/noDefaultExport: it has one.
  export { Redlock as default };
}
