import { describe, expect, it, onTestFinished } from 'vitest';
import { InvalidOptionsError, type SemaphoreClient } from '../../src/index.ts';
import { openClient, openRedis } from '../support/clients.ts';
import { ground } from '../support/ground.ts';
import { byIoredis } from '../support/kinds-of-connections.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection } from '../support/until.ts';

refuseStrayErrors();

const use = (client: SemaphoreClient, names: readonly string[]) =>
  Promise.all(names.map(async (name) => (await client.semaphore(name, { limit: 1 }).acquire()).release()));

async function listed(...[client, options]: [SemaphoreClient, ...Parameters<SemaphoreClient['list']>]) {
  const names: string[] = [];
  for await (const name of client.list(options)) names.push(name);
  return names.sort();
}

describe('the list of semaphores', () => {
  it('has every name under the prefix once, whatever the name, in however small steps', async () => {
    const client = openClient();
    const odd = ['a b', 'ü/€/💥', '%s?[x]*', 'a:state', '\\', 'x'.repeat(200)];
    const many = Array.from({ length: 60 }, (_, i) => `job-${i}`);
    await use(client, [...odd, ...many]);
    await use(openClient(), ['elsewhere']);

    expect(await listed(client, { stepSize: 7, pauseMs: 0 })).toEqual([...odd, ...many].sort());
  });

  it('has only names that fit the pattern, and a prefix is meant literally', async () => {
    const prefix = uniquePrefix();
    const [client, other] = [openClient({ prefix: `${prefix}*` }), openClient({ prefix: `${prefix}-b` })];
    await use(client, ['jobs:1', 'jobs:2', 'mail']);
    await use(other, ['jobs:3']);

    expect(await listed(client)).toEqual(['jobs:1', 'jobs:2', 'mail']);
    expect(await listed(client, { match: 'jobs:*' })).toEqual(['jobs:1', 'jobs:2']);
  });

  it('is the same through a connection that prefixes its keys, and has nothing of those that it does not see', async () => {
    // Begins as prefixes of tests do: a user with few rights may see no others.
    const { connection, end } = byIoredis({ keyPrefix: 'test-app[1]:' })(ground());
    onTestFinished(() => end?.());
    const prefix = uniquePrefix();
    const [inside, outside] = [openClient({ connection, prefix }), openClient({ prefix })];
    await use(inside, ['in']);
    await use(outside, ['out']);

    expect(await listed(inside)).toEqual(['in']);
    expect(await listed(outside)).toEqual(['out']);
  });

  it('leaves out keys of others that only look alike', async () => {
    const prefix = uniquePrefix();
    const redis = openRedis();
    await redis.set(`${prefix}:{text}:state`, 'not a hash');
    onTestFinished(async () => void (await openRedis().del(`${prefix}:{text}:state`)));

    expect(await listed(openClient({ prefix }))).toEqual([]);
  });

  it('refuses options that make no sense', async () => {
    expect(await rejection(listed(openClient(), { stepSize: 0 }))).toBeInstanceOf(InvalidOptionsError);
  });
});
