import { PermitNotHeldError } from './errors.ts';
import type { Lease } from './lease.ts';
import { Semaphore } from './semaphore.ts';

/**
 * A semaphore that refuses releases of permits that the caller does not hold: released twice, lease expired, held by
 * another client, or made up; and `release()` without a permit when this handle holds none. The check is made in Redis, so
 * it holds across processes; a refused release changes nothing. Made by `SemaphoreClient.boundedSemaphore`. Once one was
 * used for a name, nobody can add units to that semaphore by releasing without a permit; `resize` still changes its limit.
 *
 * @example
 * ```ts
 * const db = client.boundedSemaphore('reports-db', { limit: 10, leaseMs: 60_000 });
 * const permit = await db.acquire();
 * await permit.release();
 * await permit.release(); // rejects with PermitNotHeldError
 * ```
 */
export class BoundedSemaphore extends Semaphore {
  /** @internal */
  protected override async releaseLease(lease: Lease): Promise<boolean> {
    const before = lease.state;
    return this.#checked(
      await super.releaseLease(lease),
      lease.record,
      before === 'lost'
        ? 'its lease has ended'
        : before === 'held'
          ? 'it is not held'
          : 'it was released before',
    );
  }

  /** @internal */
  protected override async releaseById(id: string): Promise<boolean> {
    return this.#checked(await super.releaseById(id), id, 'this client does not hold it');
  }

  /** @internal */
  protected override releaseWithout(): Promise<boolean> {
    throw new PermitNotHeldError(this.name, undefined, 0, 'it was released too many times, nothing is held');
  }

  #checked(released: boolean, id: string, why: string): boolean {
    if (!released) {
      throw new PermitNotHeldError(this.name, id, this.heldLeases().length, why);
    }
    return true;
  }
}
