import { once } from 'node:events';
import { createServer } from 'node:net';

// Below the range from which Linux and macOS take the source ports of connections: otherwise, while a server
// is down to be restarted on its port, a client's own connection could take that port, or even reach itself.
const lowest = 20_000;
const highest = 29_999;

/** The distance of a Cluster node's second port, for the talk among nodes. It keeps to the same rule. */
const busDistance = 10_000;
const highestWithBus = 22_767;

const maxTries = 20;

/**
 * Calls `start` with a port that was free on 127.0.0.1 a moment ago, and again with another one if something
 * took it in between. A wanted port is tried once. For a Cluster node, the port of its bus is free as well.
 *
 * @throws what `start` throws, when it isn't that the port was taken, or after 20 tries
 */
export async function onFreePort<T>(
  wanted: number | undefined,
  start: (port: number) => Promise<T>,
  { bus = false }: { bus?: boolean } = {},
): Promise<T> {
  if (wanted !== undefined) {
    return start(wanted).catch((error) => {
      throw isPortTaken(error) ? new Error(`port ${wanted} is taken`) : error;
    });
  }
  for (let tries = 1; ; tries++) {
    const top = bus ? highestWithBus : highest;
    const port = lowest + Math.floor(Math.random() * (top - lowest + 1));
    try {
      if ((await isFree(port)) && (!bus || (await isFree(port + busDistance)))) return await start(port);
      if (tries >= maxTries) throw new Error(`no free port found in ${maxTries} tries`);
    } catch (error) {
      if (tries >= maxTries || !isPortTaken(error)) throw error;
    }
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    probe.close();
  }
}

// In the words of Redis and Node ("address already in use"), of Docker ("port is already allocated") and of this file.
function isPortTaken(error: unknown): boolean {
  return /address already in use|already allocated|port \d+ is taken/i.test(String(error));
}
