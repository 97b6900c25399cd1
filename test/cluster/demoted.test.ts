import { Cluster } from 'ioredis';
import { Cluster as Cluster5 } from 'ioredis-5';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { IoredisLike } from '../../src/index.ts';
import { type RedisCluster, startCluster } from '../../support/redis/cluster.ts';
import { openClient } from '../support/clients.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { until } from '../support/until.ts';
import { describeFleet } from './fleet.ts';

refuseStrayErrors();

describeFleet('a connection to a Cluster that has lost its primaries, and only knows replicas', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ primaries: 1, replicasEach: 1 });
  });
  afterAll(() => cluster?.stop());

  it.each([6, 5] as const)(
    'is refused by them, and has the primary looked up at once: with ioredis %i',
    async (version) => {
      // By itself it would look only every five seconds.
      const options = { slotsRefreshInterval: 0 };
      const nodes = [...cluster.startupNodes];
      const connection = version === 6 ? new Cluster(nodes, options) : new Cluster5(nodes, options);
      connection.on('error', () => {});
      onTestFinished(() => connection.disconnect());
      const client = openClient({ connection: connection as unknown as IoredisLike });
      const semaphore = client.semaphore('api', { limit: 1 });
      await (await semaphore.acquire()).release();
      const [replica] = connection.nodes('slave');
      await replica?.ping();
      for (const primary of connection.nodes('master')) primary.disconnect();
      await until('it knows no primary', () => connection.nodes('master').length === 0);
      await (await semaphore.acquire()).release();
      expect(connection.nodes('master')).toHaveLength(1);
    },
  );
});
