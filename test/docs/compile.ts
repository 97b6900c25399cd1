import { join } from 'node:path';
import ts from 'typescript';
import { root, type Snippet } from './pages.ts';

/** What the compiler says of the snippets, each as a module of its own, with the project's options and the prelude. */
export function complaintsAbout(snippets: readonly Snippet[]): string[] {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, root);
  const own: ts.CompilerOptions = { ...options, noUnusedLocals: false, noUnusedParameters: false };

  const modules = new Map(
    snippets.map((snippet) => [join(root, `${snippet.page}.${snippet.line}.ts`), snippet] as const),
  );
  const host = ts.createCompilerHost(own);
  const { fileExists, readFile, getSourceFile } = host;
  const textOf = (file: string) => {
    const snippet = modules.get(file);
    return snippet && `${snippet.code}\nexport {};`;
  };
  host.fileExists = (file) => modules.has(file) || fileExists(file);
  host.readFile = (file) => textOf(file) ?? readFile(file);
  host.getSourceFile = (file, language, ...rest) => {
    const text = textOf(file);
    return text === undefined
      ? getSourceFile(file, language, ...rest)
      : ts.createSourceFile(file, text, language);
  };

  const prelude = join(import.meta.dirname, 'prelude.d.ts');
  const program = ts.createProgram({ rootNames: [...modules.keys(), prelude], options: own, host });
  return [...modules].flatMap(([file, { page, line }]) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ start = 0, messageText }) => {
        const at = source ? ts.getLineAndCharacterOfPosition(source, start).line : 0;
        return `${page}:${line + at}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
      },
    );
  });
}
