import { afterAll, beforeAll } from 'vitest';
import { type RedisCluster, startCluster } from '../../support/redis/cluster.ts';
import { connectCluster } from './connections.ts';
import { describeFleet } from './fleet.ts';
import { presenceMs, type Stage } from './outage.ts';
import { outagePromises } from './outage-suite.ts';

describeFleet('over a Cluster,', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  const stage = (): Stage => ({
    nodes: cluster.nodes,
    connect: (version) => connectCluster(cluster, version),
    primaryOf: (key) => cluster.ownerOf(key),
    synced: () => cluster.synced(),
    healthy: () => cluster.healthy(),
  });
  // A client knows of a loss at its next check-in, which an outage may have delayed by one attempt.
  const overIssueMs = presenceMs / 3 + 1_000;

  outagePromises(
    'a primary that is killed',
    stage,
    { strike: (victim) => victim.kill(), mend: (victim) => victim.restart() },
    { overIssueMs },
  );

  outagePromises(
    'a primary that hangs, and comes back when it was replaced',
    stage,
    { strike: async (victim) => victim.pause(), mend: async (victim) => victim.resume() },
    { overIssueMs },
  );

  outagePromises(
    'a planned failover',
    stage,
    {
      strike: async (victim) => {
        await cluster.failover(victim);
      },
      mend: async () => {},
    },
    { overIssueMs: 0 },
  );
});
