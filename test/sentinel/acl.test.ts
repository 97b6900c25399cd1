import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SentinelGroup, startSentinel } from '../../support/redis/sentinel.ts';
import { describeFleet } from '../cluster/fleet.ts';
import { makeUser, rightsOf, rulesOf } from '../security/acl-rules.ts';
import { expectFree, openClient } from '../support/clients.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until } from '../support/until.ts';

refuseStrayErrors();

/** The examples are for this prefix, the default. */
const prefix = 'parkade';

describeFleet(
  'in a Sentinel group, users with the rights of examples/acl/service.acl and sentinel.acl',
  () => {
    let group: SentinelGroup;
    beforeAll(async () => {
      group = await startSentinel();
      for (const { redis, url } of group.nodes) await makeUser(redis, url, 'service', rulesOf('service'));
    });
    afterAll(() => group?.stop());

    /** A client by url, as these users of the servers and of the sentinels. */
    const open = async (rulesOfSentinel: string[]) => {
      for (const { redis, url } of group.sentinels) await makeUser(redis, url, 'finder', rulesOfSentinel);
      const hosts = group.addresses.map(({ host, port }) => `${host}:${port}`).join(',');
      const access = 'sentinelUsername=finder&sentinelPassword=CHANGE-ME';
      const connection = `redis-sentinel://service:CHANGE-ME@${hosts}/${group.name}?${access}`;
      return openClient({ connection, prefix, unavailableAfterMs: 2_000 });
    };

    it('find the primary, wait, are handed to, and find the next primary', async () => {
      const client = await open(rulesOf('sentinel'));
      const semaphore = client.semaphore('api', { limit: 1 });
      for (const moment of ['before', 'after']) {
        const held = await semaphore.acquire();
        const next = semaphore.acquire();
        await until(`it waits ${moment}`, async () => (await semaphore.inspect()).waiting === 1);
        await held.release();
        await (await next).release();
        await expectFree(client, 'api', 1);
        if (moment === 'before') {
          await group.failover();
          await group.healthy();
        }
      }
    });

    it.each(rightsOf('sentinel'))('need %s of a sentinel, and without it reach no primary', async (right) => {
      const client = await open(rulesOf('sentinel').filter((rule) => rule !== right));
      const error = await rejection(client.semaphore('api', { limit: 1 }).acquire());
      expect(error).toMatchObject({ code: expect.stringMatching(/^REDIS_/) });
    });
  },
);
