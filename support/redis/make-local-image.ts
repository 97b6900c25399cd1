/**
 * Makes a Docker image with a Redis from the distribution's packages, for a machine that can't reach an image
 * registry: there it stands in for the real image in trying out and testing the way through Docker.
 *
 *   npx tsx support/redis/make-local-image.ts [NAME]      default: redis:8-alpine, what the tests ask for
 *
 * The name notwithstanding, inside is the Redis of this Debian or Ubuntu. Needs a running Docker daemon.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { libraryPath, unpackDebianPackages } from '../debian-packages.ts';

const name = process.argv[2] ?? 'redis:8-alpine';
const packages = await unpackDebianPackages(['redis-server', 'redis-tools', 'busybox-static']);
const image = mkdtempSync(join(tmpdir(), 'parkade-image-'));

try {
  for (const program of ['redis-server', 'redis-cli']) {
    const binary = join(packages, 'usr/bin', program);
    copy(binary, `/usr/bin/${program}`);
    for (const library of librariesOf(binary)) copy(library, placeOf(library));
  }
  copy(join(packages, 'bin/busybox'), '/bin/busybox');
  symlinkSync('busybox', join(image, 'bin/sh'));
  // The real image's entrypoint runs the command that it is given, too.
  writeFileSync(join(image, 'entrypoint.sh'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
  for (const folder of ['data', 'tmp', 'etc', 'proc', 'dev']) mkdirSync(join(image, folder));
  chmodSync(join(image, 'tmp'), 0o1777);

  const archive = execFileSync('tar', ['-C', image, '-c', '.'], { maxBuffer: 2 ** 28 });
  const settings = [
    'ENTRYPOINT ["/entrypoint.sh"]',
    'CMD ["redis-server"]',
    'EXPOSE 6379',
    'WORKDIR /data',
    'ENV PATH=/usr/bin:/bin',
    'ENV LD_LIBRARY_PATH=/usr/lib',
  ];
  const changes = settings.flatMap((line) => ['--change', line]);
  execFileSync('docker', ['import', ...changes, '-', name], {
    input: archive,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  console.log(`${name} is made, with the Redis of ${basename(dirname(packages))} inside.`);
} finally {
  rmSync(image, { recursive: true });
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(join(image, to)), { recursive: true });
  copyFileSync(from, join(image, to));
}

/** The libraries that a binary is linked with, and the loader. */
function librariesOf(binary: string): string[] {
  const env = { ...process.env, LD_LIBRARY_PATH: libraryPath(packages) };
  const lines = execFileSync('ldd', [binary], { env, encoding: 'utf8' });
  return [...lines.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
}

/** The loader's path is written into the binaries; the others are found by LD_LIBRARY_PATH. */
function placeOf(library: string): string {
  return basename(library).startsWith('ld-') ? library : `/usr/lib/${basename(library)}`;
}
