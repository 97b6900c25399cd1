import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Speaks as much of Postgres's protocol as the example needs: it lets everybody in while there is room, and answers each
 * query after 50 ms. A connection of `reports` takes two places, since its queries are worked on by two processes.
 */
export async function startDatabase(maxPlaces: number) {
  const server = createServer((socket) => {
    let places = 0;
    let begun = false;
    const leave = () => {
      database.used -= places;
      places = 0;
    };
    socket.on('end', leave).on('close', leave).on('error', leave);
    socket.on('data', async (data) => {
      if (!begun) {
        begun = true;
        const wanted = data.includes('reports') ? 2 : 1;
        if (database.used + wanted > maxPlaces) {
          database.refused++;
          socket.end(message('E', 'SFATAL\0C53300\0Msorry, too many clients already\0\0'));
          return;
        }
        places = wanted;
        database.used += wanted;
        database.peak = Math.max(database.peak, database.used);
        database.opened++;
        socket.write(Buffer.concat([message('R', '\0\0\0\0'), message('Z', 'I')]));
      } else if (data[0] === 'Q'.charCodeAt(0)) {
        await sleep(50);
        database.queries++;
        socket.write(Buffer.concat([message('C', 'SELECT 0\0'), message('Z', 'I')]));
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const database = {
    url: `postgres://me@127.0.0.1:${port}/shop`,
    /** Places in use, the most that were, and how often one was refused. */
    used: 0,
    peak: 0,
    refused: 0,
    opened: 0,
    queries: 0,
    close: () => server.close(),
  };
  return database;
}

/** One letter, the length, the text. */
function message(type: string, text: string): Buffer {
  const head = Buffer.alloc(5, type);
  head.writeInt32BE(text.length + 4, 1);
  return Buffer.concat([head, Buffer.from(text, 'latin1')]);
}
