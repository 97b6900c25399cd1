import { once } from 'node:events';
import { createServer } from 'node:net';

// Below the range from which Linux and macOS take the source ports of connections: otherwise, while a server
// is down to be restarted on its port, a client's own connection could take that port, or even reach itself.
const lowest = 20_000;
const highest = 29_999;

const maxTries = 20;

/**
 * Calls `start` with a port that was free on 127.0.0.1 a moment ago, and again with another one if something
 * took it in between. A wanted port is tried once.
 *
 * @throws what `start` throws, when it isn't that the port was taken, or after 20 tries
 */
export async function onFreePort<T>(
  wanted: number | undefined,
  start: (port: number) => Promise<T>,
): Promise<T> {
  if (wanted !== undefined) {
    return start(wanted).catch((error) => {
      throw isPortTaken(error) ? new Error(`port ${wanted} is taken`) : error;
    });
  }
  for (let tries = 1; ; tries++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    try {
      if (await isFree(port)) return await start(port);
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

// In the words of Redis and Node ("address already in use") and of Docker ("port is already allocated").
function isPortTaken(error: unknown): boolean {
  return /address already in use|already allocated/i.test(String(error));
}
