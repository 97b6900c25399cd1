import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break what is done with connections. */
export const connectionsMutants: readonly Mutant[] = [
  ...mutantsOf('src/redis/ioredis.ts', 'client/connections > left to its owner', [
    {
      name: 'a connection lent is given up when nothing is heard on it',
      breaks: "a connection lent is its owner's business",
      from: '!cluster && (own || sentinels)',
      to: '!cluster',
    },
    {
      name: 'a connection of its own is never given up',
      breaks: 'a connection that died without a word is replaced in time',
      from: '!cluster && (own || sentinels)',
      to: '!cluster && sentinels',
      caughtBy: ['client/lost-permits > died without a word'],
    },
  ]),
];
