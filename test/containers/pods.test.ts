import { RedisContainer, type StartedRedisContainer } from '@testcontainers/redis';
import {
  GenericContainer,
  getContainerRuntimeClient,
  Network,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { openClient } from '../support/clients.ts';
import { ContainerWorker } from '../support/container-workers.ts';
import { uniquePrefix } from '../support/redis.ts';
import { until, watch } from '../support/until.ts';

// Pods, as containers with addresses of their own on a network; what they are told to do comes past that network.

vi.setConfig({ testTimeout: 120_000 });

const leaseMs = 3_000;
const presenceMs = 1_500;

let network: StartedNetwork;
let redis: StartedRedisContainer;

beforeAll(async () => {
  network = await new Network().start();
  redis = await new RedisContainer('redis:8-alpine').withNetwork(network).withNetworkAliases('redis').start();
}, 120_000);

afterAll(async () => {
  await redis?.stop();
  await network?.stop();
});

/** So many pods, and a client beside them that sees what Redis has. */
async function openPods(count: number) {
  const prefix = uniquePrefix();
  const pods = await Promise.all(
    Array.from({ length: count }, async () => {
      const pod = await ContainerWorker.start(network);
      onTestFinished(() => pod.kill());
      pod.id = await pod.call('open', [{ url: 'redis://redis:6379', prefix, presenceMs }]);
      return pod;
    }),
  );
  const client = openClient({ connection: redis.getConnectionUrl(), prefix, presenceMs });
  const lineUp = (waiting: number) =>
    until(`${waiting} wait`, async () => (await client.inspect('api')).waiting === waiting, 30_000);
  return { pods, client, lineUp };
}

const limit = { limit: 1 };
const lost = { isHeld: false, aborted: true, reason: 'PERMIT_LOST' };

it('a pod that is cut off while it holds knows that its permit is lost by the time the next in line has it; joined again, it waits its turn', async () => {
  const { pods, client, lineUp } = await openPods(3);
  const [cut, next, last] = pods as [ContainerWorker, ContainerWorker, ContainerWorker];
  const theirs = await cut.semaphore('api', limit).acquire({ leaseMs });
  const second = watch(next.semaphore('api', limit).acquire({ leaseMs }));
  await lineUp(1);
  const third = watch(last.semaphore('api', limit).acquire({ leaseMs }));
  await lineUp(2);
  expect(await cut.look(theirs)).toMatchObject({ isHeld: true, aborted: false });

  await cut.cut();
  const granted = await until('the next in line is served', () => second.value);
  expect(await cut.look(theirs)).toEqual(lost);
  expect(granted.fencingToken).toBeGreaterThan(theirs.fencingToken);
  expect(third.state).toBe('pending');

  await cut.join();
  const again = watch(cut.semaphore('api', limit).acquire({ leaseMs }));
  await lineUp(2);
  expect(await cut.semaphore('api', limit).release(theirs)).toBe(false);
  expect((await client.inspect('api')).holders).toMatchObject([{ id: granted.id }]);
  await granted.release();
  const inTurn = await until('the last in line is served', () => third.value);
  expect(again.state).toBe('pending');
  await inTurn.release();
  const anew = await until('who was cut off is served', () => again.value);
  expect(anew.fencingToken).toBeGreaterThan(inTurn.fencingToken);
  expect(await anew.release()).toBe(true);
});

it('a pod that is cut off and joined again within its lease keeps its permit, which nobody else was granted', async () => {
  const { pods, client, lineUp } = await openPods(2);
  const [cut, next] = pods as [ContainerWorker, ContainerWorker];
  const theirs = await cut.semaphore('api', limit).acquire({ leaseMs: 9_000 });
  const second = watch(next.semaphore('api', limit).acquire({ leaseMs }));
  await lineUp(1);
  await cut.cut();
  await cut.join();
  let last = Number.POSITIVE_INFINITY;
  await until('it has renewed its permit', async () => {
    const [{ expiresInMs = 0 } = {}] = (await client.inspect('api')).holders;
    const isMore = expiresInMs > last;
    last = expiresInMs;
    return isMore;
  });
  expect(await cut.look(theirs)).toMatchObject({ isHeld: true, aborted: false });
  expect(second.state).toBe('pending');
  expect(await theirs.release()).toBe(true);
  await until('the next in line is served', () => second.value);
});

it('a pod that is cut off while it waits loses its place, so that nobody waits for it; joined again, it is served in its new turn', async () => {
  const { pods, client, lineUp } = await openPods(3);
  const [holder, cut, behind] = pods as [ContainerWorker, ContainerWorker, ContainerWorker];
  const held = await holder.semaphore('api', limit).acquire({ leaseMs });
  const first = watch(cut.semaphore('api', limit).acquire({ leaseMs }));
  await lineUp(1);
  const second = watch(behind.semaphore('api', limit).acquire({ leaseMs }));
  await lineUp(2);

  await cut.cut();
  await held.release();
  const granted = await until('who was behind it is served', () => second.value);
  expect(first.state).toBe('pending');
  await cut.join();
  await lineUp(1);
  expect((await client.inspect('api')).holders).toMatchObject([{ id: granted.id }]);
  await granted.release();
  const late = await until('it is served', () => first.value, 30_000);
  expect(late.fencingToken).toBeGreaterThan(granted.fencingToken);
});

it('what a killed pod held comes back with its lease, and goes to the others in order', async () => {
  const { pods, client, lineUp } = await openPods(3);
  const [killed, next, last] = pods as [ContainerWorker, ContainerWorker, ContainerWorker];
  const theirs = await killed.semaphore('api', limit).acquire({ leaseMs });
  const second = watch(next.semaphore('api', limit).acquire({ leaseMs }));
  await lineUp(1);
  const third = watch(last.semaphore('api', limit).acquire({ leaseMs }));
  await lineUp(2);
  await killed.kill();
  expect((await client.inspect('api')).holders).toMatchObject([{ id: theirs.id }]);
  const granted = await until('the next in line is served', () => second.value);
  expect(third.state).toBe('pending');
  expect(granted.fencingToken).toBeGreaterThan(theirs.fencingToken);
  await granted.release();
  await until('the last in line is served', () => third.value);
});

it('a pod that was paused past its lease learns of the loss before it can use the permit, and goes on', async () => {
  const { pods } = await openPods(2);
  const [paused, next] = pods as [ContainerWorker, ContainerWorker];
  const theirs = await paused.semaphore('api', limit).acquire({ leaseMs });
  expect(await paused.look(theirs)).toMatchObject({ isHeld: true, aborted: false });
  await paused.pause();
  const granted = await next.semaphore('api', limit).acquire({ leaseMs });
  const looking = paused.look(theirs);
  await paused.go();
  expect(await looking).toEqual(lost);
  expect(await theirs.release()).toBe(false);
  const again = watch(paused.semaphore('api', limit).acquire({ leaseMs }));
  await granted.release();
  await until('it is served', () => again.value);
});

it('docker stop ends a worker of examples/pods, as process 1, once its work is done: it exits with 0, nothing is held, the other goes on', async () => {
  const start = async (container: GenericContainer): Promise<StartedTestContainer> => {
    const started = await container.withNetwork(network).withStartupTimeout(60_000).start();
    onTestFinished(async () => void (await started.stop()));
    return started;
  };
  await start(
    new GenericContainer('parkade-pods')
      .withCommand(['node', 'api.mjs'])
      .withNetworkAliases('api')
      .withWaitStrategy(Wait.forLogMessage(/listens/)),
  );
  const prefix = uniquePrefix();
  const [ended] = await Promise.all(
    [1, 2].map(() =>
      start(
        new GenericContainer('parkade-pods') // whose command is the worker
          .withEnvironment({
            REDIS_URL: 'redis://redis:6379',
            API_URL: 'http://api:8080',
            PARKADE_PREFIX: prefix,
          })
          .withWaitStrategy(Wait.forLogMessage(/works/)),
      ),
    ),
  );
  const client = openClient({ connection: redis.getConnectionUrl(), prefix });
  const hostname = ended?.getId().slice(0, 12) ?? '';
  const own = async () => {
    const { holders, waiters } = await client.inspect('api');
    return [...holders, ...waiters].filter((one) => one.client.startsWith(hostname));
  };
  await until('it works', async () => (await own()).length > 0, 30_000);

  const { container } = await getContainerRuntimeClient();
  const stopped = container.getById(ended?.getId() ?? '');
  await stopped.stop({ t: 30 }); // SIGTERM, and SIGKILL after the grace period, which would be exit code 137
  expect((await stopped.inspect()).State.ExitCode).toBe(0);
  expect(await own()).toEqual([]);
  await until('the other one works', async () => (await client.inspect('api')).held > 0);
});
