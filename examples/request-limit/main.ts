// Two pods of a web service let two requests in at once, four may wait in line. Who comes on top of that gets a 503, with
// a Retry-After from the length of the line and the pace of late; who hangs up leaves the line.
//
//     npm run redis -- npx tsx examples/request-limit/main.ts express     (or fastify, or hono)

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SemaphoreClient } from 'parkade';

const framework = process.argv[2] ?? 'express';
const name = `reports-${framework}-${process.pid}`;
await using client = new SemaphoreClient(process.env['REDIS_URL'] ?? 'redis://localhost:6379');
const waiting = async () => (await client.inspect(name)).waiting;

// What the service guards, and what counts how often it is asked at once. It takes 600 ms, and longer while it is stuck.
let [atOnce, peak, made, refused] = [0, 0, 0, 0];
let stuck: Promise<void> | undefined;
let goOn = () => {};
const stop = () => {
  stuck = new Promise((resolve) => {
    goOn = resolve;
  });
};
const backend = createServer(async (_request, response) => {
  peak = Math.max(peak, ++atOnce);
  response.on('close', () => atOnce--);
  await Promise.all([sleep(600), stuck]);
  response.end(`Report ${++made}`);
}).listen(0, '127.0.0.1');
await once(backend, 'listening');

const env = {
  ...process.env,
  SEMAPHORE: name,
  BACKEND_URL: `http://127.0.0.1:${(backend.address() as AddressInfo).port}`,
};
const pods = [1, 2].map(() =>
  spawn(process.execPath, [...process.execArgv, `${import.meta.dirname}/${framework}.ts`], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  }),
);
process.on('exit', () => pods.map((pod) => pod.kill('SIGKILL')));
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143));
const urls = await Promise.all(pods.map(async ({ stdout }) => `${await once(stdout, 'data')}`.trim()));

/** Asks a pod for a report until it gets one, as the pod says. */
async function get(i: number, signal: AbortSignal | null = null): Promise<number> {
  for (;;) {
    const response = await fetch(`${urls[i % 2]}/report`, { signal });
    const body = await response.text();
    if (response.status !== 503) {
      return response.status;
    }
    refused++;
    const seconds = response.headers.get('retry-after');
    console.log(`503, Retry-After: ${seconds} (${/\d wait in line[^"]*/.exec(body)})`);
    await sleep(Number(seconds) * 1000);
  }
}
const getAll = (count: number) => Promise.all(Array.from({ length: count }, (_, i) => get(i)));
const until = async (condition: () => boolean | Promise<boolean>) => {
  while (!(await condition())) await sleep(10);
};

await getAll(2); // so that both pods know how long a report takes
stop();
const ten = getAll(10);
await until(() => refused === 4);
goOn();
console.log(`Ten at once: ${(await ten).join(' ')}`);

stop();
const four = getAll(4);
await until(async () => (await waiting()) === 2);
const hangUp = new AbortController();
const fifth = get(4, hangUp.signal).catch(() => 'hung up');
await until(async () => (await waiting()) === 3);
hangUp.abort();
await until(async () => (await waiting()) === 2);
console.log(`Of three in line, the last ${await fifth}: ${await waiting()} wait`);

const ended = pods.map(async (pod) => (await once(pod, 'exit'))[0]);
for (const pod of pods) pod.kill('SIGTERM');
goOn();
console.log(
  `SIGTERM meanwhile: ${(await four).join(' ')}, exit codes ${(await Promise.all(ended)).join(' ')}`,
);
console.log(`Reports made: ${made}, at most ${peak} at once`);
backend.close();
