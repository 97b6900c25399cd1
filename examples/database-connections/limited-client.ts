import { type Permit, SemaphoreClient } from 'parkade';
import pg from 'pg';

type Connected = (error: Error | null, client?: pg.Client) => void;

const semaphores = new SemaphoreClient(process.env['REDIS_URL'] ?? 'redis://localhost:6379');
const connections = semaphores.semaphore(process.env['SEMAPHORE'] ?? 'shop-database', { limit: 6 });
/** How much of the database one connection of this service takes. */
const weight = Number(process.env['WEIGHT'] ?? 1);

/** A connection to Postgres that has a permit for as long as it is open, in use or idle in its pool. */
export class LimitedClient extends pg.Client {
  override connect(): Promise<pg.Client>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<pg.Client> | undefined {
    const connected = this.#connect();
    if (callback === undefined) {
      return connected;
    }
    connected.then((client) => callback(null, client), callback); // as a pool calls it
    return undefined;
  }

  async #connect(): Promise<pg.Client> {
    const permit = await connections.acquire({ weight });
    this.once('end', () => release(permit)); // closed, by whichever side
    permit.signal.addEventListener('abort', () => void this.end()); // lost: another may be opened instead
    try {
      return await super.connect();
    } catch (error) {
      release(permit);
      throw error;
    }
  }
}

/** If Redis can't be told, the permit ends with its lease. */
function release(permit: Permit): void {
  permit.release().catch(() => {});
}
