import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** What the figures were measured on, for whoever wants to compare. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly server: string;
  readonly packages: Readonly<Record<string, string>>;
}

export function machineOf(server: string): Machine {
  const packages = ['ioredis', 'redis-semaphore', 'bottleneck', 'redlock', 'async-sema'];
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    server,
    packages: Object.fromEntries([
      ['parkade', versionIn(join(root, 'package.json'))],
      ...packages.map((name) => [name, versionIn(join(root, 'node_modules', name, 'package.json'))]),
    ]),
  };
}

export function describeMachine(machine: Machine): string {
  const { cpu, cores, memoryGiB, system, node, server, packages } = machine;
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version.replace(/^v/, '')}`);
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB; ${system}; Node ${node}; ${server} on loopback; ${versions.join(', ')}`;
}

function versionIn(file: string): string {
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
