import { afterAll, beforeAll } from 'vitest';
import { type SentinelGroup, startSentinel } from '../../support/redis/sentinel.ts';
import { acknowledgementPromises } from '../cluster/acknowledged-suite.ts';
import { connectSentinel } from '../cluster/connections.ts';
import { describeFleet } from '../cluster/fleet.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';

refuseStrayErrors();

describeFleet('in a Sentinel group,', () => {
  let group: SentinelGroup;
  beforeAll(async () => {
    group = await startSentinel();
  });
  afterAll(() => group?.stop());

  acknowledgementPromises(() => ({
    connect: (version) => connectSentinel(group, version),
    primaryOf: () => group.primary(),
    replicasOf: async (primary) => group.nodes.filter((node) => node !== primary),
    replicas: 2,
    healthy: () => group.healthy(),
  }));
});
