import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** All of the repository's files whose paths begin and end so. */
export function filesOf(start: string, end: string): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 10_000_000 });
  return listed
    .split('\n')
    .filter((file) => file.startsWith(start) && file.endsWith(end) && existsSync(join(root, file)));
}

export const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** Every page of Markdown, with its text, but the API reference: what it shows are the docstrings. */
export const pages: ReadonlyMap<string, string> = new Map(
  filesOf('', '.md')
    .filter((file) => !file.startsWith('docs/api/'))
    .map((file) => [file, read(file)]),
);

/** A block of code that a page, or a docstring's `@example`, shows. */
export interface Snippet {
  readonly page: string;
  /** The line of its first line, counted from 1. */
  readonly line: number;
  readonly code: string;
  /** It is run, too, and prints what the comments behind its `console.log` say. */
  readonly isRun: boolean;
}

function snippetsIn(page: string, text: string, language: string): Snippet[] {
  const blocks = text.matchAll(new RegExp(`^\`\`\`${language}( run)?\\n(.*?)^\`\`\`$`, 'gms'));
  return [...blocks].map(({ index, 1: run, 2: code = '' }) => ({
    page,
    line: text.slice(0, index).split('\n').length + 1,
    code,
    isRun: run !== undefined,
  }));
}

/** The blocks of a language in all pages. */
export const snippetsOf = (language: string): Snippet[] =>
  [...pages].flatMap(([page, text]) => snippetsIn(page, text, language));

/** The `@example`s of docstrings. */
export const examplesInSource = (): Snippet[] =>
  filesOf('src/', '.ts').flatMap((file) => snippetsIn(file, read(file).replace(/^ *\* ?/gm, ''), 'ts'));
