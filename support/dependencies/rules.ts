import { inCommand, inPage } from './bundled.ts';

/** Of package.json, what is looked at. */
export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Of package-lock.json, what is looked at. */
export interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

/** They ask for no more than that their text is kept. */
const licences = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD'];

const folder = 'node_modules/';

const bundled = [...inCommand, ...inPage];

/** What is wrong with the packages that reach users, one sentence each. */
export function problemsOf(manifest: Manifest, lock: Lock): string[] {
  const problems = Object.keys(manifest.dependencies ?? {}).map((name) => comesAlong(name));
  for (const [path, locked] of Object.entries(lock.packages)) {
    if (path === '' || locked.link) continue;
    const name = path.slice(path.lastIndexOf(folder) + folder.length);
    const isShipped = !locked.dev || bundled.some((one) => path === folder + one);
    if (!isShipped) continue;
    if (locked.integrity === undefined) {
      problems.push(`${name} has no hash in package-lock.json, so anything could be installed in its place`);
    }
    if (!locked.dev) {
      problems.push(comesAlong(name));
    }
    if (!licences.includes(locked.license ?? '')) {
      problems.push(
        `${name} reaches users under ${locked.license ?? 'no licence'}; allowed is ${licences.join(', ')}`,
      );
    }
    if (locked.hasInstallScript) {
      problems.push(`${name} reaches users and runs a script when it is installed`);
    }
  }
  return problems;
}

const comesAlong = (name: string) =>
  `${name} would be installed with parkade, which nothing is: bundle what is needed (bundled.ts)`;
