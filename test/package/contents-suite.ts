import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from './packed.ts';
import type { Project } from './project.ts';

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

/** What every user downloads. */
export function contents(installed: () => Project): void {
  const folder = () => installed().path('node_modules/parkade');
  const read = (file: string) => readFileSync(join(folder(), file), 'utf8');

  it('is what is used, the Lua that runs in Redis, what to deploy, and what there is to read', () => {
    const isOurs = /^(lua|deploy)\//;
    const files = filesIn(folder());
    // Between the two formats, and the two entry points of each, there is a file that both need.
    const own = files.filter((file) => !isOurs.test(file));
    expect(own.map((file) => file.replace(/facts-[\w-]{8}/, 'facts-HASH')).sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist/THIRD-PARTY-LICENCES.md',
      'dist/cli/main.mjs',
      'dist/facts-HASH.cjs',
      'dist/facts-HASH.mjs',
      'dist/index.cjs',
      'dist/index.d.cts',
      'dist/index.d.mts',
      'dist/index.mjs',
      'dist/otel.cjs',
      'dist/otel.d.cts',
      'dist/otel.d.mts',
      'dist/otel.mjs',
      'package.json',
    ]);
    const repositorys = ['lua', 'deploy'].flatMap((name) =>
      filesIn(join(repository, name)).map((file) => `${name}/${file}`),
    );
    expect(files.filter((file) => isOurs.test(file))).toEqual(repositorys.sort());
  });

  it('says what it is, needs nothing, runs nothing when it is installed, and every file that it names is there', () => {
    const manifest = JSON.parse(read('package.json'));
    expect(manifest).toMatchObject({ name: 'parkade', license: 'MIT', type: 'module', sideEffects: false });
    expect(manifest).not.toHaveProperty('dependencies');
    for (const peer of Object.keys(manifest.peerDependencies)) {
      expect(manifest.peerDependenciesMeta[peer]).toEqual({ optional: true });
    }
    const atInstallation = ['preinstall', 'install', 'postinstall', 'prepare'];
    expect(Object.keys(manifest.scripts).filter((script) => atInstallation.includes(script))).toEqual([]);
    const named = JSON.stringify([
      manifest.main,
      manifest.module,
      manifest.types,
      manifest.bin,
      manifest.exports,
    ]);
    const files = named.match(/\.\/[^"]+\.\w+(?=")/g) ?? [];
    expect(files.length).toBeGreaterThan(8);
    for (const file of files) {
      expect(statSync(join(folder(), file)).isFile(), file).toBe(true);
    }
    expect(statSync(join(folder(), manifest.bin.parkade)).mode & 0o111).toBe(0o111);
  });

  it('has the licence of each package of which a part is bundled', () => {
    const bundled = new Set<string>();
    for (const file of filesIn(folder()).filter((file) => /\.[mc]js$/.test(file))) {
      for (const [, name] of read(file).matchAll(/^\/\/#region node_modules\/((?:@[^/]+\/)?[^/]+)/gm)) {
        bundled.add(name as string);
      }
    }
    expect(bundled.size).toBeGreaterThan(3);
    const notices = [...read('dist/THIRD-PARTY-LICENCES.md').matchAll(/^## (\S+) /gm)].map(
      ([, name]) => name,
    );
    expect(notices).toEqual(expect.arrayContaining([...bundled]));
  });

  it('names no folder of the machine on which it was built', () => {
    for (const file of filesIn(folder())) {
      expect(read(file).includes(repository), file).toBe(false);
    }
  });

  it('has the Lua in both formats, so that no file has to be found when it runs', () => {
    for (const file of ['dist/index.mjs', 'dist/index.cjs']) {
      expect(read(file)).toContain("redis.call('TIME')");
      expect(read(file)).not.toMatch(/readFile|\.lua['"]/);
    }
  });
}
