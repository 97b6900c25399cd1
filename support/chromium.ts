import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { hasDebianPackages, libraryPath, unpackDebianPackages } from './debian-packages.ts';

const commands = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** A browser, and where it is from. */
export interface FoundBrowser {
  readonly browser: Browser;
  readonly from: string;
}

/**
 * Starts a Chromium without a window: the one that `PARKADE_CHROMIUM` names, or one on the PATH, or, on Debian, the
 * distribution's package, unpacked into the project's cache.
 *
 * @throws if there is none, or it does not start; the message says why
 */
export async function startChromium(): Promise<FoundBrowser> {
  const named = process.env['PARKADE_CHROMIUM'];
  const onPath = named ?? findOnPath();
  if (onPath !== undefined) {
    return { browser: await launch(onPath, {}), from: onPath };
  }
  if (!hasDebianPackages()) {
    throw new Error('no Chromium on the PATH, and this is neither Debian nor Ubuntu');
  }
  const root = await unpackDebianPackages(['chromium', 'fonts-liberation']);
  const program = join(root, 'usr/lib/chromium/chromium');
  return { browser: await launch(program, { LD_LIBRARY_PATH: libraryPath(root) }), from: program };
}

function launch(executablePath: string, env: Record<string, string>): Promise<Browser> {
  // Chromium refuses to run as root in its sandbox; it opens nothing here but what we serve.
  const chromiumSandbox = process.getuid?.() !== 0;
  return chromium.launch({ executablePath, chromiumSandbox, env: { ...process.env, ...env } as never });
}

function findOnPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return commands.flatMap((command) => folders.map((folder) => resolve(folder, command))).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
