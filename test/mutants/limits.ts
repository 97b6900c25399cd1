import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break limits and units. */
export const limitsMutants: readonly Mutant[] = [
  ...mutantsOf('lua/resize.lua', 'lua/resize', [
    {
      name: 'a unit is added as often as the call comes',
      breaks: 'a unit is added once',
      from: "if redis.call('ZADD', clientsKey, 'NX',",
      to: "if redis.call('ZADD', clientsKey, 'CH',",
    },
    {
      name: 'a bounded semaphore gains units',
      breaks: 'bounded: refuses releases too many',
      from: 'elseif semaphore.bounded then',
      to: 'elseif false then',
    },
    {
      name: 'a resize does not reap',
      breaks: 'rule 2: no room is left unused',
      from: 'reap(semaphore)\n',
      to: '',
    },
    {
      name: 'a resize does not hand off',
      breaks: 'rule 2: no room is left unused',
      from: 'local told = handOff(',
      to: 'local told = {} or handOff(',
    },
    {
      name: 'a resize is a declaration',
      breaks: 'a resize is no mismatch',
      from: "  agree(semaphore, 'limit', newLimit)\n",
      to: "  agree(semaphore, 'limit', newLimit)\n  agree(semaphore, 'declared', newLimit)\n",
    },
    {
      name: 'a limit cannot be 0',
      breaks: 'limit 0 is a limit',
      from: 'if newLimit >= 0 then',
      to: 'if newLimit > 0 then',
    },
  ]),
  ...mutantsOf('src/bounded-semaphore.ts', 'conformance', [
    {
      name: 'a bounded one that is released too often gains a unit',
      breaks: 'test_release_not_acquired',
      from: "    throw new PermitNotHeldError(this.name, undefined, 0, 'it was released too many times, nothing is held');",
      to: '    return super.releaseWithout();',
    },
  ]),
  ...mutantsOf('src/settings.ts', 'conformance', [
    {
      name: 'a negative limit is allowed',
      breaks: 'test_semaphore_value',
      from: '  limit: count(0),\n  leaseMs',
      to: '  limit: z.int(),\n  leaseMs',
    },
  ]),
];
