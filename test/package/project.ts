import { copyFile, cp, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { x } from 'tinyexec';
import { type Packed, repository } from './packed.ts';

export interface Ended {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Somebody's project, in which parkade is installed. */
export class Project {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  async write(file: string, text: string): Promise<void> {
    await mkdir(dirname(this.path(file)), { recursive: true });
    await writeFile(this.path(file), text);
  }

  /** Copies a program, or a part of one, from `programs/`. */
  async copy(program: string, as = program): Promise<void> {
    await copyFile(join(import.meta.dirname, 'programs', program), this.path(as));
  }

  /** Makes a package that is installed in the repository one of this project, under a name of its own. */
  async link(name: string, installedAs = name): Promise<void> {
    await mkdir(dirname(this.path(`node_modules/${name}`)), { recursive: true });
    await symlink(join(repository, 'node_modules', installedAs), this.path(`node_modules/${name}`), 'dir');
  }

  /** Runs a command here to its end, or kills it after a minute. */
  async run(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    const { exitCode, stdout, stderr } = await x(command, [...args], {
      throwOnError: false,
      timeout: 60_000,
      nodeOptions: { cwd: this.folder, env },
    });
    return { exitCode, stdout, stderr };
  }

  /** Runs a program on the Node that runs the tests. */
  node(file: string, env?: Record<string, string>): Promise<Ended> {
    return this.run(process.execPath, [file], env);
  }
}

/** Links what a project needs besides: a name, or a name and where it is in `node_modules`. */
export type Links = Readonly<Record<string, string>>;

/** A project into which the tarball is installed by npm, which has to fetch nothing for it. */
export async function install(packed: Packed): Promise<Project> {
  const project = new Project(await mkdtemp(join(packed.folder, 'project-')));
  await project.write('package.json', JSON.stringify({ private: true }));
  const npm = ['install', '--loglevel=error', '--offline', '--no-audit', '--no-fund', packed.tarball];
  const { exitCode, stderr } = await project.run('npm', npm);
  if (exitCode !== 0) {
    throw new Error(`npm could not install the tarball by itself: ${stderr}`);
  }
  return project;
}

/** A copy of it, beside which other packages are installed as links into this repository. */
export async function copyOf(installed: Project, links: Links = {}): Promise<Project> {
  const project = new Project(`${installed.folder}-${++copies}`);
  await cp(installed.folder, project.folder, { recursive: true, verbatimSymlinks: true });
  for (const [name, installedAs] of Object.entries(links)) {
    await project.link(name, installedAs);
  }
  return project;
}

let copies = 0;
