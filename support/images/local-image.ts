import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { unpackDebianPackages } from '../debian-packages.ts';

/**
 * An image made of what this machine has, without any other image below it: where no image registry can be reached, it
 * stands in for a real one. Its shell and tools are a busybox.
 */
export class LocalImage implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'parkade-image-'));

  static async withShell(): Promise<LocalImage> {
    const image = new LocalImage();
    const packages = await unpackDebianPackages(['busybox-static']);
    image.#copyFile(join(packages, 'bin/busybox'), '/bin/busybox');
    const tools = execFileSync(join(packages, 'bin/busybox'), ['--list'], { encoding: 'utf8' });
    for (const tool of tools
      .trim()
      .split('\n')
      .filter((name) => name !== 'busybox')) {
      symlinkSync('busybox', join(image.#folder, 'bin', tool));
    }
    for (const folder of ['data', 'tmp', 'etc', 'proc', 'dev', 'usr/bin']) {
      mkdirSync(join(image.#folder, folder), { recursive: true });
    }
    chmodSync(join(image.#folder, 'tmp'), 0o1777);
    return image;
  }

  /** A program, with the libraries that it is linked with. */
  addProgram(file: string, libraryPath = ''): this {
    this.#copyFile(file, `/usr/bin/${basename(file)}`);
    const env = { ...process.env, LD_LIBRARY_PATH: libraryPath };
    const lines = execFileSync('ldd', [file], { env, encoding: 'utf8' });
    for (const [, library = ''] of lines.matchAll(/(\/\S+) \(0x/g)) this.addLibrary(library);
    return this;
  }

  addLibrary(file: string): this {
    this.#copyFile(file, placeOf(file));
    return this;
  }

  addFile(path: string, text: string, mode = 0o644): this {
    mkdirSync(dirname(join(this.#folder, path)), { recursive: true });
    writeFileSync(join(this.#folder, path), text, { mode });
    return this;
  }

  addFolder(from: string, to: string): this {
    cpSync(from, join(this.#folder, to), { recursive: true, verbatimSymlinks: true });
    return this;
  }

  /** Hands it to Docker under a name. `settings` are lines of a Dockerfile. */
  save(name: string, settings: readonly string[]): void {
    const changes = ['ENV PATH=/usr/local/bin:/usr/bin:/bin', 'ENV LD_LIBRARY_PATH=/usr/lib', ...settings];
    const archive = execFileSync('tar', ['-C', this.#folder, '-c', '.'], { maxBuffer: 2 ** 30 });
    execFileSync('docker', ['import', ...changes.flatMap((line) => ['--change', line]), '-', name], {
      input: archive,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }

  #copyFile(from: string, to: string): void {
    mkdirSync(dirname(join(this.#folder, to)), { recursive: true });
    copyFileSync(from, join(this.#folder, to));
  }
}

/** The loader's path is written into the programs; the others are found by LD_LIBRARY_PATH. */
function placeOf(library: string): string {
  return basename(library).startsWith('ld-') ? library : `/usr/lib/${basename(library)}`;
}
