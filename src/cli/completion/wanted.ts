import type { Command, Option } from 'commander';

/** One way to go on, and what it is. */
export interface Candidate {
  readonly value: string;
  readonly about: string;
}

/** What may stand where the cursor is. */
export type Wanted =
  | { readonly kind: 'one of'; readonly candidates: readonly Candidate[] }
  /** The name of a semaphore, or a permit of one: Redis knows. */
  | { readonly kind: 'semaphore' }
  | { readonly kind: 'permit'; readonly semaphore: string }
  | { readonly kind: 'file' }
  /** Another program and its arguments. */
  | { readonly kind: 'command' };

const nothing: Wanted = { kind: 'one of', candidates: [] };

/**
 * What the last word of an unfinished command line may become.
 *
 * @param words behind `parkade`; the last is the one in which the cursor is, empty if it has not begun
 */
export function wantedAt(program: Command, words: readonly string[]): Wanted {
  const [current = '', ...before] = [...words].reverse();
  before.reverse();
  let command = program;
  let value: Option | undefined;
  const given: string[] = [];
  for (const word of before) {
    if (value !== undefined) {
      value = undefined;
    } else if (word === '--') {
      return command.name() === 'run' ? { kind: 'command' } : nothing;
    } else if (word.startsWith('-')) {
      const option = optionsOf(command).find(({ long, short }) => word === long || word === short);
      value = option?.required ? option : undefined;
    } else if (command === program) {
      const chosen = commandsOf(program).find((it) => it.name() === word);
      if (chosen === undefined) {
        return nothing;
      }
      command = chosen;
    } else {
      given.push(word);
    }
  }
  if (value !== undefined) {
    return valuesOf(value);
  }
  const [, name, typed] = /^(--[^=]+)(=.*)$/.exec(current) ?? [];
  if (typed !== undefined) {
    const option = optionsOf(command).find(({ long, required }) => required && long === name);
    const choices = option?.argChoices ?? [];
    return oneOf(choices.map((choice) => [`${name}=${choice}`, '']));
  }
  if (current.startsWith('-')) {
    return oneOf(optionsOf(command).map((it) => [it.long ?? it.short ?? '', it.description]));
  }
  if (command === program) {
    return oneOf(commandsOf(program).map((it) => [it.name(), it.summary()]));
  }
  const argument = command.registeredArguments[given.length];
  if (argument?.argChoices) {
    return oneOf(argument.argChoices.map((choice) => [choice, '']));
  }
  switch (argument?.name()) {
    case 'name':
    case 'pattern':
      return { kind: 'semaphore' };
    case 'permit':
      return { kind: 'permit', semaphore: given[0] as string };
    default:
      // run has its own arguments only behind --, so before it there are options
      return command.name() === 'run'
        ? oneOf([
            ['--', 'the command'],
            ...optionsOf(command).map((it) => [it.long ?? '', it.description] as const),
          ])
        : nothing;
  }
}

function valuesOf(option: Option): Wanted {
  if (option.argChoices) {
    return oneOf(option.argChoices.map((choice) => [choice, '']));
  }
  return option.flags.endsWith('<file>') ? { kind: 'file' } : nothing;
}

function optionsOf(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command);
}

function commandsOf(program: Command): readonly Command[] {
  return program.createHelp().visibleCommands(program);
}

function oneOf(pairs: readonly (readonly [value: string, about: string])[]): Wanted {
  return { kind: 'one of', candidates: pairs.map(([value, about]) => ({ value, about })) };
}
