import { readdirSync, readFileSync } from 'node:fs';

const luaFolder = new URL('../lua/', import.meta.url);

/** A piece of a script: text of its own, or the name of a shared part whose text stands there. */
export type Piece = { readonly text: string } | { readonly shared: string };

/** The names of all scripts: one for each file directly in `lua/`. */
export function scriptNames(): string[] {
  return luaFiles(luaFolder);
}

/** The names of the parts in `lua/shared/`. */
export function sharedNames(): string[] {
  return luaFiles(new URL('shared/', luaFolder));
}

/** A script as its file says it: what is its own, and which shared part goes where a line says `-- #include shared/NAME`. */
export function piecesOf(name: string): Piece[] {
  return read(name)
    .split(/^-- #include shared\/([a-z-]+)\n/m)
    .map((piece, i) => (i % 2 === 0 ? { text: piece } : { shared: piece }))
    .filter((piece) => 'shared' in piece || piece.text !== '');
}

/** The text of a shared part. */
export function sharedText(name: string): string {
  return read(`shared/${name}`);
}

/** The whole text of a script. */
export function compose(name: string): string {
  return piecesOf(name)
    .map((piece) => ('shared' in piece ? sharedText(piece.shared) : piece.text))
    .join('');
}

/** A text without its comments, which are for who reads it. The lines stay where they are, for what Redis says of errors. */
export function withoutComments(text: string): string {
  return text.replace(/^ *--.*$/gm, '');
}

function luaFiles(folder: URL): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.lua'))
    .map((file) => file.slice(0, -'.lua'.length))
    .sort();
}

function read(name: string): string {
  return readFileSync(new URL(`${name}.lua`, luaFolder), 'utf8');
}
