import { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { keysOf } from '../../src/redis/keys.ts';
import { type RedisCluster, startCluster } from '../../support/redis/cluster.ts';
import { makeUser, rightsOf, rulesOf } from '../security/acl-rules.ts';
import { expectFree, openClient } from '../support/clients.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until } from '../support/until.ts';
import { describeFleet } from './fleet.ts';

refuseStrayErrors();

/** The example is for this prefix, the default. */
const prefix = 'parkade';

describeFleet('on a Cluster, a user with the rights of examples/acl/service-cluster.acl', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ replicasEach: 0 });
  });
  afterAll(() => cluster?.stop());

  /** A client as this user, and the errors that it tells. */
  const open = async (user: string, rules: string[], presenceMs = 60_000) => {
    for (const { redis, url } of cluster.nodes) await makeUser(redis, url, user, rules);
    const connection = new Cluster([...cluster.startupNodes], {
      redisOptions: { username: user, password: 'CHANGE-ME' },
    });
    connection.on('error', () => {});
    onTestFinished(() => connection.disconnect());
    const client = openClient({ connection, prefix, presenceMs, unavailableAfterMs: 2_000 });
    const errors: Error[] = [];
    client.on('error', (error) => errors.push(error));
    return { client, errors };
  };

  it('has every right that one without a Cluster has', () => {
    expect(rightsOf('service-cluster')).toEqual(expect.arrayContaining(rightsOf('service')));
  });

  it('waits, is handed to by message and not by a beat, renews, resizes, and goes on when the slot moves', async () => {
    const rules = rulesOf('service-cluster');
    const [a, b] = [await open('service', rules), await open('service', rules)];
    const one = { limit: 1, leaseMs: 300_000 };
    const handOver = async () => {
      const held = await a.client.semaphore('api', one).acquire();
      const next = b.client.semaphore('api', one).acquire();
      await until('it waits', async () => (await a.client.inspect('api')).waiting === 1);
      await held.renew();
      await held.release();
      await (await next).release();
    };
    await handOver();
    await handOver();
    const key = keysOf(prefix, 'api').state;
    const owner = await cluster.ownerOf(key);
    await cluster.moveSlotOf(key, cluster.nodes.find((node) => node !== owner) ?? owner);
    await handOver();
    await a.client.semaphore('api', one).resize(2);
    await expectFree(b.client, 'api', 2);
    expect([...a.errors, ...b.errors]).toEqual([]);
  }, 20_000);

  it.each(['+cluster|slots', '+cluster|info'])(
    'needs %s, and without it cannot find who has a semaphore',
    async (right) => {
      const rules = rulesOf('service-cluster').filter((rule) => rule !== right);
      const { client } = await open('poor', rules);
      const error = await rejection(client.semaphore('api', { limit: 1 }).acquire());
      expect(error).toMatchObject({ code: expect.stringMatching(/^REDIS_/) });
    },
  );

  it.each(['+ssubscribe', '+spublish'])(
    'that lacks %s is served all the same: messages travel through every node, or a beat finds the turn',
    async (right) => {
      const rules = rulesOf('service-cluster').filter((rule) => rule !== right);
      const [a, b] = [await open('poor', rules, 900), await open('poor', rules, 900)];
      const held = await a.client.semaphore('line', { limit: 1 }).acquire();
      const next = b.client.semaphore('line', { limit: 1 }).acquire();
      await until('it waits', async () => (await a.client.inspect('line')).waiting === 1);
      await held.release();
      expect(await (await next).release()).toBe(true);
    },
  );
});
