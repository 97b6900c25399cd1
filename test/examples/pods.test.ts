import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import { nodeArgs } from '../../support/redis/watched.ts';
import { openClient, openServer } from '../support/clients.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { until } from '../support/until.ts';

const program = fileURLToPath(new URL('../../examples/pods/worker.ts', import.meta.url));

vi.setConfig({ testTimeout: 90_000 });
/** For a worker on a busy machine. */
const startLimitMs = 60_000;

/** An API that answers when the test says so. */
async function openApi() {
  const unanswered: ServerResponse[] = [];
  let givenUp = 0;
  const server = createServer((_request, response) => {
    unanswered.push(response);
    response.on('close', () => {
      if (!response.writableEnded) givenUp++;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: (count: number) =>
      until(`it was asked ${count} times`, () => unanswered.length === count, startLimitMs),
    givenUp: (count: number) => until(`${count} requests were given up`, () => givenUp === count),
    answer: (index: number) => unanswered[index]?.end(),
  };
}

interface Worker {
  readonly child: ChildProcess;
  /** The exit code, and what it said on stdout and stderr. */
  readonly ended: Promise<{ exitCode: unknown; said: string[]; complained: string }>;
}

function startWorker(env: Record<string, string>): Worker {
  const child = spawn(process.execPath, [...nodeArgs, program], {
    env: { ...process.env, LIMIT: '1', LONGEST_HOLD_MS: '80000', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return {
    child,
    ended: ended.then(([[exitCode], said, complained]) => ({
      exitCode,
      said: said.trim().split('\n'),
      complained,
    })),
  };
}

it('a worker that is told to end leaves the line, finishes what it has, releases it, takes no more work and exits with 0', async () => {
  const api = await openApi();
  const prefix = uniquePrefix();
  const env = { REDIS_URL: redisUrl(), API_URL: api.url, PARKADE_PREFIX: prefix };
  const client = openClient({ prefix });
  const workerOf = (id: string | undefined) => Number(id?.split(':')[1]); // host:pid:…

  const workers = [startWorker(env), startWorker(env)];
  const started = await until(
    'one works and all others wait',
    async () => {
      const snapshot = await client.inspect('api');
      return snapshot.waiting === 3 && snapshot;
    },
    startLimitMs,
  );
  await api.asked(1);
  const [first, second] = workers.toSorted((worker) =>
    worker.child.pid === workerOf(started.holders[0]?.client) ? -1 : 1,
  ) as [Worker, Worker];

  first.child.kill('SIGTERM');
  const { holders, waiters } = await until('it has left the line', async () => {
    const snapshot = await client.inspect('api');
    return snapshot.waiting === 2 && snapshot;
  });
  expect(holders.map(({ client }) => workerOf(client))).toEqual([first.child.pid]);
  expect(waiters.map(({ client }) => workerOf(client))).toEqual([second.child.pid, second.child.pid]);
  expect(first.child.exitCode).toBe(null);

  api.answer(0);
  await api.asked(2); // long before its lease of 30 s is over
  expect(workerOf((await client.inspect('api')).holders[0]?.client)).toBe(second.child.pid);
  expect(await first.ended).toEqual({
    exitCode: 0,
    said: [
      'works, 2 at once, under the limit of 1',
      'SIGTERM: takes no more work, finishes what it has',
      'ends, after 1 requests',
    ],
    complained: '',
  });
});

it('a worker whose permit is taken away gives its request up, says so, and waits its turn again', async () => {
  const api = await openApi();
  const prefix = uniquePrefix();
  const client = openClient({ prefix });
  const { child, ended } = startWorker({
    REDIS_URL: redisUrl(),
    API_URL: api.url,
    PARKADE_PREFIX: prefix,
    AT_ONCE: '1',
  });
  await api.asked(1);
  const [holder] = (await client.inspect('api')).holders;
  expect(await client.revoke('api', holder?.id ?? '')).toBe(true);
  await api.givenUp(1);
  await api.asked(2);
  child.kill('SIGTERM');
  api.answer(1);
  const { exitCode, said, complained } = await ended;
  expect({ exitCode, last: said.at(-1) }).toEqual({ exitCode: 0, last: 'ends, after 1 requests' });
  expect(complained).toMatch(/revoked/);
});

it('a worker that is told to end while Redis is away finishes what it has and exits with 0 by itself', async () => {
  const api = await openApi();
  const server = await openServer();
  const { child, ended } = startWorker({ REDIS_URL: server.url, API_URL: api.url });
  await api.asked(1);
  await server.stop();
  child.kill('SIGTERM');
  api.answer(0);
  expect((await ended).exitCode).toBe(0);
});
