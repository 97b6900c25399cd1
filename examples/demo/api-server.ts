/** The API that may be asked three things at once. It counts for itself how many it is asked. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ApiCounts {
  /** The most requests that were served at the same time. */
  readonly peak: number;
  /** Requests served to their end, those included whose caller was gone by then. */
  readonly served: number;
}

export interface ApiServer extends AsyncDisposable {
  readonly url: string;
  readonly counts: ApiCounts;
}

/** Starts it on a loopback port. Like most servers it does not notice that a caller is gone, and goes on working. */
export async function startApiServer(serviceMs: number): Promise<ApiServer> {
  const counts = { inService: 0, peak: 0, served: 0 };
  const server = createServer(async (request, response) => {
    counts.inService++;
    counts.peak = Math.max(counts.peak, counts.inService);
    await sleep(serviceMs);
    counts.inService--;
    counts.served++;
    response.end(`${request.url} is done\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
