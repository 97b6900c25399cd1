import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { compose, scriptNames } from './compose-lua.ts';

// Writes the composed scripts into the source tree, so that the package holds them as text: they survive
// bundlers, and nothing is read from disk at run time.
const scripts = scriptNames().map((name) => {
  const text = compose(name);
  const sha = createHash('sha1').update(text).digest('hex');
  return `export const ${name}Script = {\n  name: '${name}',\n  sha: '${sha}',\n  text: ${JSON.stringify(text)},\n} as const;\n`;
});
writeFileSync(
  new URL('../src/redis/lua.generated.ts', import.meta.url),
  `// Made from lua/ by scripts/embed-lua.ts.\n\n${scripts.join('\n')}`,
);
