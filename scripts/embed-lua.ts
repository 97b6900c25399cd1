import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compose, piecesOf, scriptNames, sharedNames, sharedText, withoutComments } from './compose-lua.ts';

// Writes the scripts into the source tree, so that the package holds them as text: they survive bundlers, and
// nothing is read from disk at run time. What scripts share is there once; comments are left out, lines are not.
const target = fileURLToPath(new URL('../src/redis/lua.generated.ts', import.meta.url));
const variableOf = (shared: string) =>
  `${shared.replace(/-(.)/g, (_match, letter: string) => letter.toUpperCase())}Part`;

const parts = sharedNames().map(
  (name) => `const ${variableOf(name)} = ${JSON.stringify(withoutComments(sharedText(name)))};\n`,
);
const scripts = scriptNames().map((name) => {
  const sha = createHash('sha1')
    .update(withoutComments(compose(name)))
    .digest('hex');
  const pieces = piecesOf(name).map((piece) =>
    'shared' in piece ? variableOf(piece.shared) : JSON.stringify(withoutComments(piece.text)),
  );
  return `export const ${name}Script = {\n  name: '${name}',\n  sha: '${sha}',\n  text: [${pieces.join(', ')}].join(''),\n};\n`;
});

// Whole or not at all, since several commands may do this at once.
const draft = `${target}.${process.pid}`;
writeFileSync(draft, `// Made from lua/ by scripts/embed-lua.ts.\n${[...parts, ...scripts].join('\n')}`);
renameSync(draft, target);
