/** Writes docs/api from the docstrings; with `--check` fails where it is not what they say now, or where one is missing. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { x } from 'tinyexec';

const committed = 'docs/api';
const isCheck = process.argv.includes('--check');
const out = isCheck ? mkdtempSync(join(tmpdir(), 'parkade-api-')) : committed;
process.once('exit', () => isCheck && rmSync(out, { recursive: true }));

const { exitCode, stdout, stderr } = await x('typedoc', ['--out', out, '--logLevel', 'Warn'], {
  throwOnError: false,
});
process.stderr.write(stdout + stderr);
process.exitCode = exitCode ?? 1;

if (isCheck && exitCode === 0) {
  const pagesIn = (folder: string) =>
    new Map(
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.md'))
        .map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
    );
  const [now, then] = [pagesIn(out), pagesIn(committed)];
  const stale = [...new Set([...now.keys(), ...then.keys()])].filter(
    (file) => now.get(file) !== then.get(file),
  );
  if (stale.length > 0) {
    console.error(
      `docs/api is not what the docstrings say: ${stale.join(', ')}. npm run docs:api puts it right.`,
    );
    process.exitCode = 1;
  }
}
