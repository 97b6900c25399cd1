import { cliMutants } from './cli.ts';
import { clientMutants } from './client.ts';
import { conformanceMutants } from './conformance.ts';
import { interleavingsMutants } from './interleavings.ts';
import { luaMutants } from './lua.ts';
import type { Mutant } from './mutant.ts';

export const mutants: readonly Mutant[] = [
  ...luaMutants,
  ...clientMutants,
  ...conformanceMutants,
  ...interleavingsMutants,
  ...cliMutants,
];
