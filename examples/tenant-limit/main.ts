// Two workers share a queue of BullMQ. One tenant has put twelve jobs into it, another then two. At most two of a tenant
// run at once, and the small tenant does not wait behind the big one. One worker is ended in the middle.
//
//     npm run redis -- npx tsx examples/tenant-limit/main.ts

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, Queue, QueueEvents } from 'bullmq';

// What the jobs use counts how many of each tenant it serves at once.
const atOnce = { big: 0, small: 0 };
const peak = { ...atOnce };
const served: string[] = [];
const api = createServer(async (request, response) => {
  const [, tenant = '', id] = request.url?.split('/') ?? [];
  if (tenant !== 'big' && tenant !== 'small') {
    response.writeHead(404).end();
    return;
  }
  peak[tenant] = Math.max(peak[tenant], ++atOnce[tenant]);
  await sleep(400);
  atOnce[tenant]--;
  served.push(`${tenant} ${id}`);
  response.end();
}).listen(0, '127.0.0.1');
await once(api, 'listening');

const name = `exports-${process.pid}`;
const connection = { url: process.env['REDIS_URL'] ?? 'redis://localhost:6379', maxRetriesPerRequest: null };
const queue = new Queue(name, { connection });
const events = new QueueEvents(name, { connection });
await events.waitUntilReady();
const done = new Set<string | undefined>();
events.on('completed', ({ jobId }) => done.add(jobId));
const tenants = [...Array(12).fill('big'), 'small', 'small'];
const jobs = await queue.addBulk(tenants.map((tenant) => ({ name: 'export', data: { tenant } })));

const apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
const workers = [1, 2].map(() => fork(new URL('worker.ts', import.meta.url), [name, apiUrl]));
process.on('exit', () => workers.map((worker) => worker.kill('SIGKILL')));
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143));
const exits = workers.map(async (worker) => (await once(worker, 'exit'))[0]);

const untilDone = async (jobs: Job[]) => {
  while (!jobs.every(({ id }) => done.has(id))) await sleep(10);
};

await untilDone(jobs.slice(12));
const before = served.filter((job) => job.startsWith('big')).length;
console.log(`The small tenant is done when ${before} of 12 jobs of the big one are`);

workers[0]?.kill('SIGTERM');
console.log(`A worker is ended: exit code ${await exits[0]}`);
await untilDone(jobs);
console.log(`Served: ${served.length} jobs, ${new Set(served).size} different ones`);
console.log(`At most at once: ${peak.big} of the big tenant, ${peak.small} of the small one`);

workers[1]?.kill('SIGTERM');
await exits[1];
await queue.obliterate();
await Promise.all([queue.close(), events.close()]);
api.close();
