// The API that the workers share. It counts for itself how many requests it has at once, and says so every second.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const serviceMs = Number(process.env['SERVICE_MS'] ?? 350);
const served = new Map<string, number>();
let atOnce = 0;
let peak = 0;

const server = createServer(async (request, response) => {
  atOnce++;
  peak = Math.max(peak, atOnce);
  await sleep(serviceMs);
  atOnce--;
  const worker = request.url?.slice(1) ?? '';
  served.set(worker, (served.get(worker) ?? 0) + 1);
  response.end('done\n');
});
server.listen(Number(process.env['PORT'] ?? 8080));
await once(server, 'listening');
console.log(`listens on port ${(server.address() as AddressInfo).port}`);

let last = '';
const report = setInterval(() => {
  const counts = [...served].map(([worker, count]) => `${worker} ${count}`);
  const line = `${atOnce} at once, at most ${peak}; served: ${counts.join(', ') || 'none yet'}`;
  if (line !== last) console.log(line);
  last = line;
}, 1_000);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    clearInterval(report);
    server.close(); // once the last one is answered
    server.closeIdleConnections();
  });
}
