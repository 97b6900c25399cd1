import { type Permit, SemaphoreClient } from 'parkade';
import type { Contender, Semaphore } from './contender.ts';

export const contenderOf = (Client: typeof SemaphoreClient): Contender => ({
  async open({ url, prefix }) {
    const client = new Client(url, { prefix });
    return {
      semaphore: async (name, limit) => new ParkadeSemaphore(client, name, limit),
      close: () => client.close({ release: false }),
    };
  },
});

/** The built package with its defaults. Commands are coalesced by itself: it needs no pipelining. */
export const parkade: Contender = contenderOf(SemaphoreClient);

class ParkadeSemaphore implements Semaphore<Permit> {
  readonly #semaphore;

  constructor(client: SemaphoreClient, name: string, limit: number) {
    this.#semaphore = client.semaphore(name, { limit });
  }

  acquire(): Promise<Permit> {
    return this.#semaphore.acquire();
  }

  release(permit: Permit): Promise<boolean> {
    return permit.release();
  }

  async waiting(): Promise<number> {
    return (await this.#semaphore.inspect()).waiting;
  }

  orderOf(permit: Permit): number {
    return permit.fencingToken;
  }
}
