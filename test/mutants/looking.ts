import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break snapshots. */
export const lookingMutants: readonly Mutant[] = [
  ...mutantsOf('lua/inspect.lua', 'lua/inspect', [
    {
      name: 'expired permits are listed',
      breaks: 'expired permits are left out',
      from: 'expired + firstHolder',
      to: 'firstHolder',
    },
    {
      name: 'expired permits count as held',
      breaks: 'expired permits are left out',
      from: '  held = held - weight\n',
      to: '',
    },
    {
      name: 'a look goes by another time',
      breaks: 'time goes on, and never back',
      from: 'serverTimeUs() + skewUs',
      to: 'serverTimeUs()',
    },
    {
      name: 'a look runs back',
      breaks: 'time goes on, and never back',
      from: 'math.max(math.floor(nowUs / 1000), lastMs)',
      to: 'math.floor(nowUs / 1000)',
    },
    {
      name: 'a look lists everything',
      breaks: 'a look costs what it returns',
      from: "first, first + count - 1, 'WITHSCORES'",
      to: "first, -1, 'WITHSCORES'",
    },
    {
      name: 'a look lists the first page always',
      breaks: 'pages',
      from: "first, first + count - 1, 'WITHSCORES'",
      to: "0, count - 1, 'WITHSCORES'",
    },
    {
      name: 'a look tells the limit declared',
      breaks: 'the limit in force',
      from: 'nowMs, limit, declared, held,',
      to: 'nowMs, declared, declared, held,',
    },
    {
      name: 'expired permits count as holding',
      breaks: 'expired permits are left out',
      from: "redis.call('ZCARD', permitsKey) - expired",
      to: "redis.call('ZCARD', permitsKey)",
    },
  ]),
  ...mutantsOf('src/semaphore.ts', 'conformance', [
    {
      name: 'printing leaves out who waits',
      breaks: 'test_repr',
      from: '.waiting} waiting here',
      to: '.waiting * 0} waiting here',
    },
  ]),
];
