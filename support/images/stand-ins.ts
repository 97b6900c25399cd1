import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { x } from 'tinyexec';
import { libraryPath, unpackDebianPackages } from '../debian-packages.ts';
import { nodeBinary } from '../node-binary.ts';
import { LocalImage } from './local-image.ts';

/** How to make locally what stands in for an image that can't be pulled. Says what is inside. */
export const standIns: Readonly<Record<string, (name: string) => Promise<string>>> = {
  async 'redis:8-alpine'(name) {
    const packages = await unpackDebianPackages(['redis-server', 'redis-tools']);
    using image = await LocalImage.withShell();
    for (const program of ['redis-server', 'redis-cli']) {
      image.addProgram(join(packages, 'usr/bin', program), libraryPath(packages));
    }
    // As the real image, it lets others in than its own container.
    const lines = [
      '#!/bin/sh',
      'if [ "$1" = redis-server ]; then set -- "$@" --protected-mode no; fi',
      'exec "$@"',
    ];
    image.addFile('/entrypoint.sh', `${lines.join('\n')}\n`, 0o755);
    const settings = [
      'ENTRYPOINT ["/entrypoint.sh"]',
      'CMD ["redis-server"]',
      'EXPOSE 6379',
      'WORKDIR /data',
    ];
    image.save(name, settings);
    return "the Redis of this machine's distribution";
  },

  async 'node:22-bookworm-slim'(name) {
    using image = await LocalImage.withShell();
    image.addProgram(await nodeBinary('22')).addFolder(await npmFolder(), '/usr/lib/node_modules/npm');
    for (const command of ['npm', 'npx']) {
      image.addFile(
        `/usr/bin/${command}`,
        `#!/bin/sh\nexec node /usr/lib/node_modules/npm/bin/${command}-cli.js "$@"\n`,
        0o755,
      );
    }
    image.addFile('/etc/passwd', 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n');
    image.addFile('/usr/bin/env', '#!/bin/sh\nexec /bin/env "$@"\n', 0o755);
    // Native packages are linked with more of glibc than Node is.
    for (const library of ['librt.so.1', 'libresolv.so.2', 'libutil.so.1']) {
      image.addLibrary(join('/lib', `${machine()}-linux-gnu`, library));
    }
    // What this machine trusts, so that a build gets to the registry as it does.
    const certificates = process.env['NODE_EXTRA_CA_CERTS'] ?? '';
    const settings = ['CMD ["node"]'];
    if (existsSync(certificates)) {
      image.addFile('/etc/ssl/certs/ca-certificates.crt', readFileSync(certificates, 'utf8'));
      settings.push('ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt');
    }
    image.save(name, settings);
    return 'the Node 22 of npm, with the npm of this machine';
  },
};

/** As Debian names its folders. */
function machine(): string {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64';
}

async function npmFolder(): Promise<string> {
  const { stdout } = await x('sh', ['-c', 'command -v npm']);
  return resolve(dirname(realpathSync(stdout.trim())), '..');
}
