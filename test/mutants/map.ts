import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break `map`. */
export const mapMutants: readonly Mutant[] = [
  ...mutantsOf('src/concurrent-map.ts', 'client/map', [
    {
      name: 'map takes items although nothing is free',
      breaks: 'a million items queue nothing',
      from: 'asking + running.size < map.mostAtOnce()',
      to: 'asking < 10_000',
    },
    {
      name: 'map asks for many although others are in line',
      breaks: 'a million items queue nothing',
      from: 'mostAsking = taken.waited ? 1 : mostAsking + 1;',
      to: 'mostAsking++;',
      caughtBy: ['client/map > asks for one at a time again'],
    },
  ]),
];
