import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { x } from 'tinyexec';

export const repository = resolve(import.meta.dirname, '../..');

/** The package as it would be published. */
export interface Packed {
  readonly tarball: string;
  /** For projects and what they make; outside of the repository, so that nothing of it is found by accident. */
  readonly folder: string;
  remove(): Promise<void>;
}

/** Builds and packs as `npm publish` does. */
export async function pack(): Promise<Packed> {
  const folder = await mkdtemp(join(tmpdir(), 'parkade-package-'));
  const { stdout } = await x('npm', ['pack', '--json', '--pack-destination', folder], {
    throwOnError: true,
    nodeOptions: { cwd: repository },
  });
  // What the build prints comes first.
  const [{ filename }] = JSON.parse(stdout.slice(stdout.search(/^\[$/m))) as [{ filename: string }];
  return {
    tarball: join(folder, filename),
    folder,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
