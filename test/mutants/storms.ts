import { mutants } from './list.ts';
import type { Mutant } from './mutant.ts';

/** A mutant that storms are tried on, and the faults that it takes to meet it soon; else all of them. */
export interface Stormed {
  readonly mutant: Mutant;
  readonly faults: string | undefined;
}

/** Each a rule of its own. Other tests have to notice them too; see docs/reliability.md. */
const tried: readonly (readonly [name: string, faults?: string])[] = [
  ['a straight release keeps the units', 'kill,cut'],
  ['more is granted than fits'],
  ['a light request overtakes a heavy one at the head'],
  ['a newcomer is granted although others wait'],
  ['expired permits are not reaped'],
  ['a renewal brings an expired permit back'],
  ['a grant that is asked for twice counts twice', 'lost-reply,cut'],
  ['no closed window after a loss', 'flush,cut,away'],
  ['late grants are handed out', 'stop,block,held-replies'],
  ['holders are not told that their lease ended'],
  ['the deadline is counted from the reply', 'held-replies,slow-replies,lost-reply'],
  ['settled requests give nothing back', 'held-replies,slow-replies,lost-reply'],
  ['a straight hand-off serves who is last', 'silent-messages,cut'],
  ['restored waiters get new tickets', 'flush,cut'],
];

export const stormed: readonly Stormed[] = tried.map(([name, faults]) => {
  const mutant = mutants.find((one) => one.name === name);
  if (mutant === undefined) {
    throw new Error(`There is no way to break the implementation that is called "${name}".`);
  }
  return { mutant, faults };
});
