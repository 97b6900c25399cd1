// Ten requests to an HTTP server that takes a second for each, at most three at once: about four waves. Then the
// same from four processes at once, ten requests each: still at most three. The server itself counts.
//
//     npm run redis -- npx tsx examples/ten-requests.ts

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SemaphoreClient } from 'parkade';

async function fetchAll(url: string, name: string, count: number): Promise<number[]> {
  await using client = new SemaphoreClient(process.env['REDIS_URL'] ?? 'redis://localhost:6379');
  const semaphore = client.semaphore(name, { limit: 3 });
  return await semaphore.map(Array(count).fill(url), async (url, permit) => {
    const response = await fetch(url, { signal: permit.signal });
    return response.status;
  });
}

const [url, name] = process.argv.slice(2);
if (url !== undefined && name !== undefined) {
  await fetchAll(url, name, 10); // one of the four processes
} else {
  let [serving, peak] = [0, 0];
  const serviceMs = Number(process.env['SERVICE_MS'] ?? 1000);
  const server = createServer(async (_request, response) => {
    peak = Math.max(peak, ++serving);
    await sleep(serviceMs);
    serving--;
    response.end('ok');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  const start = performance.now();
  const statuses = await fetchAll(api, 'ten-requests', 10);
  const seconds = (performance.now() - start) / serviceMs;
  console.log(
    `One process: ${statuses.length} requests in ${seconds.toFixed(1)} service times, at most ${peak} at once`,
  );

  peak = 0;
  const workers = Array.from({ length: 4 }, () => fork(import.meta.filename, [api, 'ten-requests-4']));
  const codes = await Promise.all(workers.map((worker) => once(worker, 'exit')));
  console.log(
    `Four processes: exit codes ${codes.map(([code]) => code).join(', ')}, at most ${peak} at once`,
  );
  server.close();
}
