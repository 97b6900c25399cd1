import { readdirSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aptGet, cacheFolder, libraryPath, unpackOnce } from './debian-packages.ts';

/**
 * Unpacks packages of another release of Debian than this machine's (bullseye, trixie, sid, …) with all libraries that they
 * need, the C library included, into the project's cache. Installs nothing, and knows no address: packages come from
 * where this machine's own come from.
 *
 * @throws if this is no Debian, or there is no such release or package there
 */
export async function unpackFromRelease(release: string, names: string[]): Promise<string> {
  const root = join(cacheFolder, `debian-${release}-${process.arch}`, names.join('+'));
  return unpackOnce(root, async (workshop) => {
    const options = await privateApt(release, workshop);
    await aptGet('update', [], [...options, '-o', 'APT::Update::Error-Mode=any']);
    const plan = await aptGet('install', names, [...options, '--simulate', '--no-install-recommends']);
    const planned = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
    const needed = planned.filter((name) => names.includes(name) || /^(lib|lua-)/.test(name));
    const archives = join(workshop, 'archives');
    await mkdir(archives);
    await aptGet('download', needed, options, archives);
    return (await readdir(archives)).map((file) => join(archives, file));
  });
}

/** How a program of an unpacked release is started: by its own loader, with its own libraries. */
export function loaderOf(root: string): [command: string, ...args: string[]] {
  const libraries = libraryPath(root);
  const loader = libraries
    .split(':')
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .find((file) => /\/ld-(linux.*\.so\.\d+|\d.*\.so)$/.test(file));
  if (loader === undefined) throw new Error(`no loader for programs is in ${root}`);
  return [loader, '--library-path', libraries];
}

/** Options by which apt-get knows this release alone, as on a machine on which nothing is installed. */
async function privateApt(release: string, workshop: string): Promise<string[]> {
  const from = await siteOf();
  const [state, cache, list] = ['state', 'cache', 'sources.list'].map((name) => join(workshop, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(join(state, 'lists/partial'), { recursive: true });
  await mkdir(join(cache, 'archives/partial'), { recursive: true });
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const lines = withBase(release).map((suite) => `deb [signed-by=${keyring}] ${from} ${suite} main\n`);
  await writeFile(list, lines.join(''));
  const set = (name: string, value: string) => ['-o', `${name}=${value}`];
  return [
    ...set('Dir::State', state),
    ...set('Dir::Cache', cache),
    ...set('Dir::Etc::sourcelist', list),
    ...set('Dir::Etc::sourceparts', '/dev/null'),
    ...set('Dir::State::status', '/dev/null'),
    ...set('APT::Default-Release', release),
  ];
}

/** These are additions to another release. */
function withBase(release: string): string[] {
  if (release === 'experimental') return ['sid', release];
  const base = release.replace(/-backports$/, '');
  return base === release ? [release] : [base, release];
}

/** Where this machine has Debian's packages from. */
async function siteOf(): Promise<string> {
  const targets = await aptGet(
    'indextargets',
    ['Created-By: Packages'],
    ['--format', '$(REPO_URI) $(COMPONENT)'],
  );
  const site = /^(\S+\/debian\/) main$/m.exec(targets)?.[1];
  if (site === undefined) throw new Error('this machine has no packages of Debian');
  return site;
}
