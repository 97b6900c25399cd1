import { clientMutants } from './client.ts';
import { luaMutants } from './lua.ts';
import type { Mutant } from './mutant.ts';

/** Of the ways to break scripts and client, those that going through all orders has to notice by itself. */
const noticed: readonly string[] = [
  'a request that comes twice is queued twice',
  'a grant that is asked for twice counts twice',
  'a re-sent release that finds nothing was none',
  'attempts have no timer',
  'late grants are handed out',
  'the deadline is counted from the reply',
  'nobody checks in',
  'a beat does not reap',
  'a release does not hand off',
  'a cancel leaves a permit that was granted meanwhile',
  'no closed window after a loss',
  'only waiters are restored',
];

export const interleavingsMutants: readonly Mutant[] = noticed.map((name) => {
  const mutant = [...luaMutants, ...clientMutants].find((one) => one.name === name);
  if (mutant === undefined) {
    throw new Error(`There is no way to break the implementation that is called "${name}".`);
  }
  return { ...mutant, name: `${name}, in every order`, caughtBy: ['test/interleavings'] };
});
