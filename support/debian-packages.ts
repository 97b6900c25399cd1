import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const cacheFolder = fileURLToPath(new URL('../.cache/', import.meta.url));

/** For one apt-get or dpkg, over a slow line. */
const commandLimitMs = 120_000;

/**
 * Unpacks packages of Debian or Ubuntu, and what they need that isn't installed, into the project's cache; needs
 * no root and installs nothing. Resolves with the root folder of the unpacked tree (`usr/bin/…` below it), at
 * once if it is there from an earlier call. May be called from several processes at a time.
 *
 * @throws if this isn't Debian or Ubuntu, or the packages can't be downloaded; nothing is left behind then
 */
export async function unpackDebianPackages(names: string[]): Promise<string> {
  const root = join(cacheFolder, distribution(), names.join('+'));
  return unpackOnce(root, (workshop) => download(names, workshop));
}

/** Unpacks the archives that are downloaded, unless that was done before. */
export async function unpackOnce(
  root: string,
  downloadInto: (workshop: string) => Promise<string[]>,
): Promise<string> {
  if (existsSync(root)) return root;
  await mkdir(dirname(root), { recursive: true });
  const workshop = await mkdtemp(`${root}.unpacking-`);
  try {
    const archives = await downloadInto(workshop);
    const tree = join(workshop, 'tree');
    await mkdir(tree);
    for (const archive of archives) await run('dpkg', ['-x', archive, tree]);
    await rename(tree, root);
  } catch (error) {
    // Another process was faster: its tree is the same.
    if (!existsSync(root)) throw error;
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
  return root;
}

/** Whether this machine is a Debian, an Ubuntu or a child of theirs. */
export function hasDebianPackages(): boolean {
  return existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg');
}

/** The folders of an unpacked tree's shared libraries, as LD_LIBRARY_PATH wants them. */
export function libraryPath(root: string): string {
  return ['usr/lib', 'lib']
    .map((folder) => join(root, folder))
    .filter(existsSync)
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((folder) => folder.endsWith('-linux-gnu'))
    .join(':');
}

/** Of which distribution and processor a tree is: the folder may be shared with a container or a virtual machine. */
function distribution(): string {
  if (!hasDebianPackages()) throw new Error('this is neither Debian nor Ubuntu');
  const release = readFileSync('/etc/os-release', 'utf8');
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]+)`, 'm').exec(release)?.[1] ?? 'unknown';
  return `${field('ID')}-${field('VERSION_ID')}-${process.arch}`;
}

/** Downloads with the machine's package lists or, where they are missing or out of date, with fresh private ones. */
async function download(names: string[], workshop: string): Promise<string[]> {
  const archives = join(workshop, 'archives');
  await mkdir(archives);
  try {
    await aptDownload(names, archives, []);
  } catch {
    const state = join(workshop, 'state');
    const cache = join(workshop, 'cache');
    await mkdir(join(state, 'lists/partial'), { recursive: true });
    await mkdir(join(cache, 'archives/partial'), { recursive: true });
    const privately = [
      ...['-o', `Dir::State=${state}`],
      ...['-o', `Dir::Cache=${cache}`],
      ...['-o', 'Dir::State::status=/var/lib/dpkg/status'],
    ];
    // A source that fails may be one that isn't needed: whether it was shows in the download.
    const strictly = [...privately, '-o', 'APT::Update::Error-Mode=any'];
    const failure = await aptGet('update', [], strictly).then(
      () => undefined,
      (error: Error) => error,
    );
    await aptDownload(names, archives, privately).catch((error) => {
      throw failure ?? error;
    });
  }
  return (await readdir(archives)).map((file) => join(archives, file));
}

async function aptDownload(names: string[], folder: string, options: string[]): Promise<void> {
  const plan = await aptGet('install', names, [...options, '--simulate', '--no-install-recommends']);
  const missing = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
  const wanted = new Set([...names, ...missing]);
  // A newer libc doesn't run under the machine's own loader, and the installed one will do.
  wanted.delete('libc6');
  await aptGet('download', [...wanted], options, folder);
}

/** Runs apt-get. */
export async function aptGet(
  verb: string,
  names: string[],
  options: string[],
  cwd?: string,
): Promise<string> {
  const common = [
    '-qq',
    // Else root's downloads are made by a user who may not write here.
    ...['-o', 'APT::Sandbox::User=root'],
    ...['-o', 'Acquire::Retries=1'],
    ...['-o', 'Acquire::http::Timeout=15'],
  ];
  return run('apt-get', [...common, ...options, verb, ...names], cwd);
}

async function run(command: string, args: string[], cwd?: string): Promise<string> {
  try {
    const env = { ...process.env, LC_ALL: 'C' };
    const { stdout } = await promisify(execFile)(command, args, { cwd, env, timeout: commandLimitMs });
    return stdout;
  } catch (error) {
    const stderr = (error as { stderr?: string }).stderr ?? '';
    const said = /^E: (.*)/m.exec(stderr)?.[1] ?? stderr.trim().split('\n').at(-1);
    throw new Error(`${command} says: ${said || error}`);
  }
}
