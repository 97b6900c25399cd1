import { afterAll, beforeAll, describe } from 'vitest';
import { type SentinelGroup, startSentinel } from '../../support/redis/sentinel.ts';
import { connectSentinel, connectSentinelByNodeRedis } from '../cluster/connections.ts';
import { corePromises } from '../cluster/core-suite.ts';
import { describeFleet } from '../cluster/fleet.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';

refuseStrayErrors();

describeFleet('a client of a Sentinel group', () => {
  let group: SentinelGroup;
  beforeAll(async () => {
    group = await startSentinel();
  });
  afterAll(() => group?.stop());

  describe.each([6, 5] as const)('with ioredis %i', (version) => {
    corePromises(() => ({ nodes: group.nodes, connect: () => connectSentinel(group, version) }));
  });

  describe('with node-redis', () => {
    corePromises(() => ({ nodes: group.nodes, connect: () => connectSentinelByNodeRedis(group) }));
  });
});
