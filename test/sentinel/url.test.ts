import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { SemaphoreClient } from '../../src/index.ts';
import { type SentinelGroup, startSentinel } from '../../support/redis/sentinel.ts';
import { run } from '../cli/command.ts';
import { describeFleet } from '../cluster/fleet.ts';

describeFleet('the url of a Sentinel group', () => {
  let group: SentinelGroup;
  let url: string;
  beforeAll(async () => {
    group = await startSentinel();
    const hosts = group.addresses.map(({ host, port }) => `${host}:${port}`).join(',');
    url = `redis-sentinel://${hosts}/${group.name}`;
  });
  afterAll(() => group?.stop());

  it('leads a client and the command to the primary, before and after a failover', async () => {
    await using client = new SemaphoreClient(url);
    for (const name of ['before', 'after']) {
      await using _permit = await client.semaphore(name, { limit: 2 }).acquire();
      await group.synced();
      const { code, stdout, stderr } = await run(['inspect', name, '--json', '--redis', url]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({ name, held: 1, holders: [{ client: client.id }] });
      if (name === 'before') {
        await group.failover();
        await group.healthy(); // until it is demoted, what the old primary is told is lost
      }
    }
  });

  it('leads past a sentinel that hangs', async () => {
    const mute = createServer((socket) => void socket.on('error', () => {}));
    onTestFinished(() => void mute.close());
    await new Promise<void>((resolve) => void mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as AddressInfo;
    await using client = new SemaphoreClient(url.replace('//', `//127.0.0.1:${port},`));
    await using permit = await client.semaphore('past', { limit: 1 }).acquire();
    expect(permit.isHeld).toBe(true);
  });

  it('with a group that the sentinels do not know is said in a line, and ends with 69', async () => {
    const result = await run(['list', '--redis', url.replace(/[^/]+$/, 'other')]);
    expect(result).toMatchObject({ code: 69, stdout: '' });
    expect(result.stderr).toMatch(/^parkade: .*Sentinel group 'other'.*\n$/);
  });
});
