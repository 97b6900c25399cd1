import { readdirSync, readFileSync } from 'node:fs';

const luaFolder = new URL('../lua/', import.meta.url);

/** The names of all scripts: one for each file directly in `lua/`. */
export function scriptNames(): string[] {
  return readdirSync(luaFolder)
    .filter((file) => file.endsWith('.lua'))
    .map((file) => file.slice(0, -'.lua'.length))
    .sort();
}

/** The text of one script, each line `-- #include shared/NAME` replaced by that file. */
export function compose(name: string): string {
  return read(name).replace(/^-- #include (shared\/[a-z-]+)$/gm, (_line, part: string) =>
    read(part).trimEnd(),
  );
}

function read(name: string): string {
  return readFileSync(new URL(`${name}.lua`, luaFolder), 'utf8');
}
