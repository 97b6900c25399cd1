import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** An API that counts how it is used. It refuses the first three requests, and lets page 7 hang, once. */
export async function startApi() {
  let atOnce = 0;
  const refusedAtMs = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const page = request.url?.slice(1) ?? '';
    api.peak = Math.max(api.peak, ++atOnce);
    response.on('close', () => atOnce--);
    await sleep(50);
    if (refusedAtMs.size < 3) {
      refusedAtMs.set(page, performance.now());
      response.writeHead(429, { 'retry-after': '1' }).end();
    } else if (page === '7' && api.aborted.length === 0) {
      response.on('close', () => api.aborted.push(page));
    } else {
      const pauseMs = performance.now() - (refusedAtMs.get(page) ?? Number.NEGATIVE_INFINITY);
      api.shortestPauseMs = Math.min(api.shortestPauseMs, pauseMs);
      api.served.push(page);
      response.end(`This is page ${page}.`);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const api = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The most requests that it had at once. */
    peak: 0,
    /** Pages in the order in which they were served. */
    served: [] as string[],
    /** Pages whose request was aborted by the client. */
    aborted: [] as string[],
    /** How soon a page was asked for again after a refusal. */
    shortestPauseMs: Number.POSITIVE_INFINITY,
    close: () => server.close(),
  };
  return api;
}
