import { afterAll, beforeAll, describe } from 'vitest';
import { type RedisCluster, startCluster } from '../../support/redis/cluster.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { connectCluster } from './connections.ts';
import { corePromises } from './core-suite.ts';
import { describeFleet } from './fleet.ts';

refuseStrayErrors();

describeFleet('a client over a Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  describe.each([6, 5] as const)('with ioredis %i', (version) => {
    corePromises(() => ({ nodes: cluster.nodes, connect: () => connectCluster(cluster, version) }));
  });
});
