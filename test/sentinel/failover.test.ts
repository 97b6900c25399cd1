import { afterAll, beforeAll } from 'vitest';
import { type SentinelGroup, startSentinel } from '../../support/redis/sentinel.ts';
import { connectSentinel } from '../cluster/connections.ts';
import { describeFleet } from '../cluster/fleet.ts';
import { presenceMs, type Stage } from '../cluster/outage.ts';
import { outagePromises } from '../cluster/outage-suite.ts';

describeFleet('in a Sentinel group,', () => {
  let group: SentinelGroup;
  beforeAll(async () => {
    group = await startSentinel();
  });
  afterAll(() => group?.stop());

  const stage = (): Stage => ({
    nodes: group.nodes,
    connect: (version) => connectSentinel(group, version),
    primaryOf: () => group.primary(),
    synced: () => group.synced(),
    healthy: () => group.healthy(),
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
    // Sentinel demotes the old primary about a second after the new one serves; what it does meanwhile is lost.
    'a failover on demand',
    stage,
    {
      strike: async () => {
        await group.failover();
      },
      mend: async () => {},
    },
    { overIssueMs: overIssueMs + 1_500 },
  );
});
