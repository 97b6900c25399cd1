import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';
import { startCluster } from '../../support/redis/cluster.ts';
import { type FleetNode, serverProgram } from '../../support/redis/fleet.ts';
import { until } from '../support/until.ts';
import { describeFleet } from './fleet.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));

afterEach(() => {
  vi.unstubAllEnvs();
});

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describeFleet('a group of servers for tests', () => {
  it('is gone with all its processes and folders when it was stopped', async () => {
    const cluster = await startCluster({ primaries: 3, replicasEach: 0 });
    const pids = cluster.nodes.map(({ pid }) => pid);
    const [node] = cluster.nodes as [FleetNode];
    const [, folder = ''] = (await node.redis.config('GET', 'dir')) as string[];
    expect(existsSync(folder)).toBe(true);
    await cluster.stop();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  it.each(['cluster', 'sentinel'])('ends when the script that has it is killed: %s', async (kind) => {
    const start = kind === 'cluster' ? 'startCluster' : 'startSentinel';
    const code = `
      const { ${start} } = await import('./support/redis/${kind}.ts');
      const { nodes, sentinels = [] } = await ${start}();
      const all = [...nodes, ...sentinels];
      const [, dir] = await nodes[0].redis.config('GET', 'dir');
      all[1].pause();
      console.log(JSON.stringify({ pids: all.map(({ pid }) => pid), dir }));`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', code];
    const script = spawn(process.execPath, args, { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] });
    const errors = text(script.stderr);
    const died = once(script, 'close').then(async () => {
      throw new Error(`The script ended early: ${await errors}`);
    });
    died.catch(() => {});
    const [line] = (await Promise.race([once(createInterface(script.stdout), 'line'), died])) as [string];
    const { pids, dir } = JSON.parse(line) as { pids: number[]; dir: string };
    expect(pids.filter(isAlive)).toHaveLength(6);
    script.kill('SIGKILL');
    await until('all are gone', () => !pids.some(isAlive) && !existsSync(dir));
  });

  it.each(['docker', 'wasm', 'url'])('is not to be had of %s, and says so', async (way) => {
    vi.stubEnv('PARKADE_REDIS', way);
    await expect(serverProgram()).rejects.toThrow(`PARKADE_REDIS=${way} has no redis-server`);
  });
});
