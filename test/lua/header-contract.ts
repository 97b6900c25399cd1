/*
 * The contract of a script's first lines, and what speaks against it.
 *
 *     -- KEYS[1] permitsKey     sorted set: …            the header names each argument
 *     -- ARGV[2...] records     those to take out; …      … means all from here on
 *     local permitsKey = KEYS[1]                          the binding block gives it that name,
 *     local records, firstRecord = ARGV, 2                or, to many, the list and where they begin
 *     …                                                   below, only the names are used
 */

interface Argument {
  readonly list: 'KEYS' | 'ARGV';
  readonly index: number;
  readonly toTheEnd: boolean;
  readonly name: string;
}

/** Where header, binding block and use of a composed script disagree, in sentences. */
export function contractFaults(text: string): string[] {
  const lines = text.split('\n');
  const lastBinding = lines.findLastIndex(isBinding);
  const firstOther = lines.findIndex((line) => isCode(line) && !isBinding(line));
  const end = firstOther < 0 ? lines.length : firstOther;
  const faults: string[] = [];
  if (lastBinding > end) faults.push(`line ${lastBinding + 1} binds arguments below the binding block`);
  const below = lines.slice(end);
  for (const [i, line] of below.entries()) {
    const [word] = /\b(KEYS|ARGV)\b/.exec(line) ?? [];
    if (word && !isBinding(line))
      faults.push(`line ${end + i + 1} speaks of ${word} below the binding block`);
  }

  const header = lines
    .slice(0, end)
    .map(declared)
    .filter((one) => one !== undefined);
  const bound = lines
    .slice(0, end)
    .filter(isBinding)
    .flatMap((line) => bindings(line, faults));
  faults.push(...indexFaults('header', header), ...indexFaults('binding block', bound));
  for (const argument of header) {
    const binding = bound.find((one) => one.list === argument.list && one.index === argument.index);
    if (binding === undefined) {
      faults.push(`${show(argument)} is not bound`);
    } else if (binding.name !== argument.name || binding.toTheEnd !== argument.toTheEnd) {
      faults.push(`${show(argument)} is bound as ${show(binding)}`);
    }
    if (!isUsed(argument.name, below)) faults.push(`${show(argument)} is not used`);
  }
  for (const binding of bound) {
    if (!header.some((one) => one.list === binding.list && one.index === binding.index)) {
      faults.push(`${show(binding)} is bound, but the header does not know it`);
    }
  }
  return faults;
}

function show({ list, index, toTheEnd, name }: Argument): string {
  return `${list}[${index}${toTheEnd ? '...' : ''}] ${name}`;
}

function isCode(line: string): boolean {
  return line.trim() !== '' && !line.trimStart().startsWith('--');
}

function isBinding(line: string): boolean {
  return /^local [\w, ]+ = .*\b(KEYS|ARGV)\b/.test(line);
}

/** `-- ARGV[2] name   what it means` */
function declared(line: string): Argument | undefined {
  const match = /^-- (KEYS|ARGV)\[(\d+)(\.\.\.)?\] (\w+) +\S/.exec(line);
  if (match === null) return undefined;
  const [, list, index, dots, name = ''] = match;
  return { list: list as Argument['list'], index: Number(index), toTheEnd: dots !== undefined, name };
}

/** `local name, rest, firstOfRest = tonumber(ARGV[1]), ARGV, 2` */
function bindings(line: string, faults: string[]): Argument[] {
  const [, left = '', right = ''] = /^local ([\w, ]+) = (.*)$/.exec(line) ?? [];
  const names = left.split(', ');
  const values = right.split(', ');
  const result: Argument[] = [];
  if (names.length !== values.length) {
    faults.push(`"${line}" does not give each name a value`);
    return result;
  }
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const value = values[i] as string;
    const one = /^(?:tonumber\()?(KEYS|ARGV)\[(\d+)\](?:\)| == '1'| \+ 0)?$/.exec(value);
    const first = /^\d+$/.exec(values[i + 1] ?? '');
    if (one !== null) {
      result.push({ list: one[1] as Argument['list'], index: Number(one[2]), toTheEnd: false, name });
    } else if (value === 'ARGV' && first !== null && /^first[A-Z]/.test(names[i + 1] ?? '')) {
      result.push({ list: 'ARGV', index: Number(first[0]), toTheEnd: true, name });
      i++;
    } else {
      faults.push(`"${name} = ${value}" is no binding of an argument`);
    }
  }
  return result;
}

/** Indices run from 1 without a gap, each once; only the last may go to the end. */
function indexFaults(where: string, found: readonly Argument[]): string[] {
  const faults: string[] = [];
  for (const list of ['KEYS', 'ARGV'] as const) {
    const own = found.filter((one) => one.list === list).sort((a, b) => a.index - b.index);
    for (const [i, argument] of own.entries()) {
      if (argument.index !== i + 1)
        faults.push(`the ${where} has ${show(argument)} where ${list}[${i + 1}] is due`);
      if (argument.toTheEnd && i < own.length - 1)
        faults.push(`the ${where} has more behind ${show(argument)}`);
    }
  }
  return faults;
}

/** Whether the script's own local of that name is used: not a field, and not a shared function's parameter. */
function isUsed(name: string, lines: readonly string[]): boolean {
  const code = lines
    .filter(isCode)
    .join('\n')
    .replace(/ -- .*$/gm, '')
    .replace(/'[^'\n]*'/g, "''")
    .replace(/^local function \w+\(([^)]*)\)\n[\s\S]*?\nend$/gm, (whole, parameters: string) =>
      parameters.split(', ').includes(name) ? '' : whole,
    );
  return new RegExp(`(?<![.\\w])${name}\\b(?! = )`).test(code);
}
