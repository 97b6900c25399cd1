import { rmSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build as bundle } from 'esbuild';
import { build as buildPackage } from 'tsdown';
import packages from '../tsdown.config.ts';

export interface BuiltWorker {
  readonly file: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The first that is built is the library; the other is the command. */
const [library] = packages;

const root = resolve(import.meta.dirname, '..');

/** Takes out what tells the facts: what is left shows what it costs that somebody could listen. */
const mute = {
  name: 'mute',
  resolveId: (id: string) =>
    id.endsWith('/teller.ts') ? join(import.meta.dirname, 'contenders', 'mute-teller.ts') : undefined,
};

/**
 * The worker as plain JavaScript, beside the built package, installed where it finds it: what is measured is what
 * users get, and nothing that runs TypeScript takes part (tsx names every function as it is made, which costs).
 */
export async function buildWorker(): Promise<BuiltWorker> {
  await mkdir(join(import.meta.dirname, 'dist'), { recursive: true });
  const folder = await mkdtemp(join(import.meta.dirname, 'dist', 'run-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const dispose = async () => {
    process.off('exit', remove);
    remove();
  };
  try {
    await install(join(folder, 'node_modules', 'parkade'));
    await install(join(folder, 'node_modules', 'parkade-mute'), [mute]);
    // A package of its own, else 'parkade' would mean the one around it.
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n');
    const file = join(folder, 'worker.js');
    await bundle({
      entryPoints: [join(import.meta.dirname, 'worker.ts')],
      outdir: folder,
      splitting: true,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      packages: 'external',
      external: ['parkade', 'parkade/otel', 'parkade-mute'],
      tsconfigRaw: {},
      logLevel: 'error',
    });
    return { file, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function install(folder: string, plugins: (typeof mute)[] = []): Promise<void> {
  await buildPackage({
    ...library,
    config: false,
    cwd: root,
    outDir: join(folder, 'dist'),
    dts: false,
    onSuccess: async () => {}, // it writes the licences into the package that is to be published
    logLevel: 'error',
    plugins,
  });
  await copyFile(join(root, 'package.json'), join(folder, 'package.json'));
}
