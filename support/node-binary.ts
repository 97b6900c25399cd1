import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { x } from 'tinyexec';

/**
 * Where the program of another version of Node is: of npm's package `node`, kept in `.cache/`.
 *
 * @param version as npm has it: `22`, `20.4.0`
 * @throws if the registry can't be reached, or has none for this machine
 */
export async function nodeBinary(version: string): Promise<string> {
  const folder = resolve(import.meta.dirname, '../.cache/node', version);
  const program = resolve(folder, 'node_modules/node/bin/node');
  if (!existsSync(program)) {
    await mkdir(folder, { recursive: true });
    await writeFile(resolve(folder, 'package.json'), '{"private":true}');
    const args = ['install', '--loglevel=error', '--no-audit', '--no-fund', `node@${version}`];
    const { exitCode, stderr } = await x('npm', args, { throwOnError: false, nodeOptions: { cwd: folder } });
    if (exitCode !== 0 || !existsSync(program)) {
      throw new Error(`npm did not install node@${version}: ${stderr.trim().split('\n')[0]}`);
    }
  }
  return program;
}
