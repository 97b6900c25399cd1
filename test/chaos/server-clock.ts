import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const source = join(import.meta.dirname, 'clock-shim.c');
const cacheFolder = join(import.meta.dirname, '../../.cache/clock-shim');

/** The wall clock of a server, which can be set while it runs. */
export class ServerClock {
  /** What the server's environment must say. */
  readonly env: Record<string, string>;
  readonly #file: string;
  #offsetUs = 0n;

  private constructor(library: string, file: string) {
    this.env = { LD_PRELOAD: library, PARKADE_CLOCK_FILE: file };
    this.#file = file;
    this.#write();
  }

  /**
   * Compiles what stands between the server and its clock.
   *
   * @throws where there is no C compiler, or no LD_PRELOAD
   */
  static async make(file: string): Promise<ServerClock> {
    if (process.platform !== 'linux') throw new Error('clocks are set by LD_PRELOAD, on Linux only');
    return new ServerClock(await compile(), file);
  }

  /** Sets it forward, or back with a negative number. */
  shift(ms: number): void {
    this.#offsetUs += BigInt(ms) * 1_000n;
    this.#write();
  }

  #write(): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(this.#offsetUs);
    // In place: the server has mapped this very file.
    writeFileSync(this.#file, bytes, { flag: existsSync(this.#file) ? 'r+' : 'w' });
  }
}

async function compile(): Promise<string> {
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12);
  const library = join(cacheFolder, `${process.arch}-${hash}.so`);
  if (existsSync(library)) return library;
  await mkdir(cacheFolder, { recursive: true });
  const draft = `${library}.${process.pid}`;
  await promisify(execFile)('cc', ['-shared', '-fPIC', '-O2', '-o', draft, source, '-ldl'], {
    timeout: 60_000,
  });
  await rename(draft, library);
  return library;
}
