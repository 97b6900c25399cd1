import { Sema } from 'async-sema';
import type { Contender, Semaphore } from './contender.ts';

/** Inside one process, without any Redis: what nothing distributed can exceed. */
export const asyncSema: Contender = {
  async open() {
    return {
      async semaphore(_name, limit): Promise<Semaphore> {
        const sema = new Sema(limit);
        return {
          acquire: () => sema.acquire(),
          release: () => sema.release(),
          waiting: async () => sema.nrWaiting(),
        };
      },
      async close() {},
    };
  },
};
