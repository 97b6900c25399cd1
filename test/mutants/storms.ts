import { mutants } from './list.ts';
import type { Mutant } from './mutant.ts';

/** Those on which storms are tried, each a rule of its own. Other tests have to notice them too; see docs/reliability.md. */
const names: readonly string[] = [
  'a release removes nothing',
  'more is granted than fits',
  'a light request overtakes a heavy one at the head',
  'a newcomer is granted although others wait',
  'expired permits are not reaped',
  'a renewal brings an expired permit back',
  'a grant that is asked for twice counts twice',
  'no closed window after a loss',
  'late grants are handed out',
  'holders are not told that their lease ended',
  'the deadline is counted from the reply',
  'settled requests give nothing back',
  'a release does not hand off',
  'restored waiters get new tickets',
];

export const stormed: readonly Mutant[] = names.map((name) => {
  const mutant = mutants.find((one) => one.name === name);
  if (mutant === undefined) {
    throw new Error(`There is no way to break the implementation that is called "${name}".`);
  }
  return mutant;
});
