/** Runs luacheck on the composed scripts, which is what Redis gets; without a luacheck, it says so and passes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasDebianPackages, libraryPath, unpackDebianPackages } from '../support/debian-packages.ts';
import { compose, scriptNames } from './compose-lua.ts';

const options = [
  ...['--std', 'lua51'],
  ...['--read-globals', 'redis', 'cjson', 'struct', 'KEYS', 'ARGV'],
  ...['--max-line-length', '110'],
  // Shared functions take what they need as parameters, named as the script's own locals are.
  ...['--ignore', '431'],
  '--no-config',
  '--no-cache',
  ...(process.stdout.isTTY ? [] : ['--no-color']),
];

interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

try {
  process.exitCode = check(await findLuacheck());
} catch (error) {
  console.log(`luacheck was skipped: ${error instanceof Error ? error.message : error}.`);
}

/** luacheck of the PATH, else Debian's, unpacked into the cache. */
async function findLuacheck(): Promise<Program> {
  const found = spawnSync('luacheck', ['--version']);
  if (found.status === 0) return { command: 'luacheck', args: [], env: {} };
  if (!hasDebianPackages()) throw new Error('it is not on the PATH, and this is neither Debian nor Ubuntu');

  const root = await unpackDebianPackages(['lua-check', 'lua5.1', 'lua-argparse', 'lua-filesystem']);
  const share = join(root, 'usr/share/lua/5.1');
  const libraries = libraryPath(root);
  return {
    command: join(root, 'usr/bin/lua5.1'),
    args: [join(root, 'usr/bin/luacheck')],
    env: {
      LUA_PATH: `${share}/?.lua;${share}/?/init.lua`,
      LUA_CPATH: libraries
        .split(':')
        .map((folder) => `${folder}/lua/5.1/?.so`)
        .join(';'),
      LD_LIBRARY_PATH: libraries,
    },
  };
}

/** Returns luacheck's exit code; where it finds fault, the composed texts stay, for its line numbers are theirs. */
function check({ command, args, env }: Program): number {
  const folder = mkdtempSync(join(tmpdir(), 'parkade-lua-'));
  for (const name of scriptNames()) writeFileSync(join(folder, `${name}.lua`), compose(name));
  const { status, error } = spawnSync(command, [...args, ...options, '--', ...readdirSync(folder)], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  if (status === 0) rmSync(folder, { recursive: true });
  else console.error(error ?? `The line numbers are those of the composed scripts in ${folder}.`);
  return status ?? 1;
}
