import { describe, expect, it, onTestFinished } from 'vitest';
import { onFact, type ParkadeFacts } from '../../src/index.ts';
import {
  apiOf,
  onEach,
  openClient,
  openClients,
  openProxy,
  openRedis,
  openServer,
} from '../support/clients.ts';
import { needs } from '../support/ground.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until } from '../support/until.ts';

refuseStrayErrors();

const names = [
  'parkade:acquire:start',
  'parkade:acquire:queued',
  'parkade:acquire:granted',
  'parkade:acquire:failed',
  'parkade:permit:renewed',
  'parkade:permit:renewal-failed',
  'parkade:permit:released',
  'parkade:permit:lost',
  'parkade:permit:left',
  'parkade:semaphore:restored',
] as const satisfies readonly (keyof ParkadeFacts)[];

type Told = { [Name in keyof ParkadeFacts]: { name: Name; fact: ParkadeFacts[Name] } }[keyof ParkadeFacts];

/** All that is told until the test ends. */
function listen() {
  const told: Told[] = [];
  for (const name of names) {
    onTestFinished(onFact(name, (fact) => told.push({ name, fact } as Told)));
  }
  const of = <Name extends keyof ParkadeFacts>(name: Name) =>
    told.flatMap((one) => (one.name === name ? [one.fact as ParkadeFacts[Name]] : []));
  return { told, of, names: () => told.map(({ name }) => name) };
}

describe('what becomes of a request', () => {
  it('is told from its start to the release of its permit, with the same objects', async () => {
    const heard = listen();
    const client = openClient();
    const permit = await client.semaphore('api', { limit: 3 }).acquire({ weight: 2, timeoutMs: 5_000 });
    await permit.release();
    expect(heard.names()).toEqual([
      'parkade:acquire:start',
      'parkade:acquire:granted',
      'parkade:permit:released',
    ]);
    const [start] = heard.of('parkade:acquire:start');
    const [granted] = heard.of('parkade:acquire:granted');
    const [released] = heard.of('parkade:permit:released');
    expect(start?.request).toEqual({ semaphore: 'api', client: client.id, weight: 2, timeoutMs: 5_000 });
    expect(granted?.request).toBe(start?.request);
    expect(granted?.limit).toBe(3);
    expect(granted?.permit).toEqual({
      semaphore: 'api',
      client: client.id,
      id: permit.id,
      weight: 2,
      fencingToken: permit.fencingToken,
    });
    expect(released?.permit).toBe(granted?.permit);
    expect(released?.holdMs).toBeGreaterThan(0);
  });

  it('includes its place in line, and how long it waited', async () => {
    const [mine, theirs] = openClients(2);
    const [api, other] = apiOf([mine, theirs], { limit: 1 });
    const permit = await other.acquire();
    const heard = listen();
    const waiting = api.acquire();
    await until('it is told to be in line', () => heard.of('parkade:acquire:queued')[0]);
    const queuedMs = performance.now();
    await until('a while has passed', () => performance.now() - queuedMs > 50);
    await permit.release();
    await waiting;
    expect(heard.names().filter((name) => name.startsWith('parkade:acquire'))).toEqual([
      'parkade:acquire:start',
      'parkade:acquire:queued',
      'parkade:acquire:granted',
    ]);
    expect(heard.of('parkade:acquire:granted')[0]?.waitMs).toBeGreaterThan(50);
  });

  it('is told with the outcome that the caller sees, whatever that is', async () => {
    const client = openClient();
    const api = client.semaphore('api', { limit: 1, maxWaiting: 1 });
    const permit = await api.acquire();
    const heard = listen();
    const controller = new AbortController();
    const aborted = rejection(api.acquire({ signal: controller.signal }));
    await until('it waits', () => heard.of('parkade:acquire:queued').length === 1);
    const full = await rejection(api.acquire());
    controller.abort(new Error('enough'));
    const reason = await aborted;
    expect(await api.tryAcquire()).toBeNull();
    const late = await rejection(api.acquire({ timeoutMs: 20 }));
    const heavy = await rejection(api.acquire({ weight: 2 }));
    const mismatch = await rejection(client.semaphore('api', { limit: 7 }).acquire());
    const gone = rejection(api.acquire());
    await until('it waits', () => heard.of('parkade:acquire:queued').length === 3);
    await client.close();
    expect(heard.of('parkade:acquire:failed').map(({ outcome, error }) => [outcome, error])).toEqual([
      ['queue_full', full],
      ['aborted', reason],
      ['busy', expect.objectContaining({ code: 'QUEUE_FULL' })],
      ['timeout', late],
      ['weight_exceeds_limit', heavy],
      ['limit_mismatch', mismatch],
      ['client_closed', await gone],
    ]);
    expect(heard.of('parkade:permit:released').map(({ permit: { id } }) => id)).toEqual([permit.id]);
  });

  it('is not told of before somebody listened, nor after', async () => {
    const api = openClient().semaphore('api', { limit: 2 });
    const before = await api.acquire();
    const told: unknown[] = [];
    const stop = onFact('parkade:acquire:granted', (fact) => told.push(fact));
    await api.acquire();
    stop();
    await before.release();
    await api.acquire();
    expect(told).toHaveLength(1);
  });
});

describe('what becomes of a permit', () => {
  it('is told when it is renewed, and when it is left to its lease', async () => {
    const heard = listen();
    const client = openClient();
    const permit = await client.semaphore('api', { limit: 1, leaseMs: 300 }).acquire();
    const renewed = await until('it was renewed', () => heard.of('parkade:permit:renewed')[0]);
    expect(renewed.permit.id).toBe(permit.id);
    expect(renewed.expiresInMs).toBeGreaterThan(0);
    expect(renewed.expiresInMs).toBeLessThanOrEqual(300);
    await client.close({ release: false });
    expect(heard.of('parkade:permit:left').map(({ permit: { id } }) => id)).toEqual([permit.id]);
    await until('its lease has ended', () => !permit.isHeld);
    expect(heard.of('parkade:permit:released')).toEqual([]);
    expect(heard.of('parkade:permit:lost')).toEqual([]);
  });

  it('is told when it is lost, once, with the reason that its signal has', async () => {
    const proxy = await openProxy();
    const client = openClient({ through: proxy, attemptTimeoutMs: 100 });
    const permit = await client.semaphore('api', { limit: 1, leaseMs: 400 }).acquire();
    const heard = listen();
    proxy.goAway();
    await until('it is lost', () => permit.signal.aborted);
    proxy.resume();
    expect(await permit.release()).toBe(false);
    const lost = heard.of('parkade:permit:lost');
    expect(lost.map(({ permit: { id }, error }) => [id, error])).toEqual([[permit.id, permit.signal.reason]]);
    expect(lost[0]?.holdMs).toBeGreaterThan(100);
    expect(heard.of('parkade:permit:released')).toEqual([]);
  });

  it('is told when its renewal is refused', async () => {
    needs('plain url');
    const server = await openServer();
    const admin = openRedis(server);
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all');
    const url = new URL(server.url);
    [url.username, url.password] = ['app', 'secret'];
    const client = openClient({ connection: url.href });
    const permit = await client.semaphore('api', { limit: 1, leaseMs: 600 }).acquire();
    const heard = listen();
    await admin.call('ACL', 'SETUSER', 'app', '-evalsha', '-eval');
    const failure = await until('a renewal failed', () => heard.of('parkade:permit:renewal-failed')[0]);
    expect(failure.permit.id).toBe(permit.id);
    expect(failure.error).toMatchObject({ code: 'REDIS_REFUSED' });
  });
});

it('what was put back after a loss of data is told', async () => {
  const server = await openServer();
  const client = openClient({ at: server, prefix: uniquePrefix(), presenceMs: 600 });
  const heard = listen();
  await client.semaphore('api', { limit: 1 }).acquire();
  await onEach(openRedis(server), (one) => one.flushall());
  const restored = await until('it was put back', () => heard.of('parkade:semaphore:restored')[0]);
  expect(restored).toEqual({ semaphore: 'api', client: client.id, permits: 1, waiters: 0 });
});
