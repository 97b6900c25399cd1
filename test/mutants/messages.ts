import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break wake-ups, and when to look again. */
export const messagesMutants: readonly Mutant[] = [
  ...mutantsOf('lua/shared/announce.lua', 'lua/shared', [
    {
      name: 'messages do not carry the epoch',
      breaks: 'load-bearing: messages carry the epoch',
      from: 'semaphore.epoch, semaphore.nowUs',
      to: '0, semaphore.nowUs',
    },
    {
      name: 'the caller is told by message, too',
      breaks: 'guarantee 10: O(1) messages',
      from: 'if client ~= clientId then',
      to: 'if client then',
    },
    {
      name: 'a missing right to publish tears the script',
      breaks: 'rule 4: PUBLISH in pcall',
      from: 'redis.pcall(',
      to: 'redis.call(',
    },
    {
      name: 'each grant is a message',
      breaks: 'guarantee 10: O(1) messages',
      from: '      for i = 1, #news, 3 do',
      to: '      for i = 1, 3, 3 do',
    },
    {
      name: "the caller's grants are left out of the reply",
      breaks: 'grants of the caller travel in the reply',
      from: 'return told[clientId] or {}',
      to: 'return {}',
    },
    {
      name: 'messages tell the limit declared',
      breaks: 'messages tell the limit in force',
      from: 'semaphore.epoch, semaphore.nowUs, semaphore.limit',
      to: 'semaphore.epoch, semaphore.nowUs, semaphore.declared',
    },
    {
      name: 'a shard message goes the usual way as well',
      breaks: 'guarantee 10: O(1) messages',
      from: 'if not heard then',
      to: 'if true then',
    },
    {
      name: 'a shard message that nobody heard is lost',
      breaks: 'guarantee 9: a lost message delays',
      from: 'if not heard then',
      to: "if string.sub(client, -1) ~= '+' then",
    },
    {
      name: 'everyone is told on shard channels',
      breaks: 'guarantee 10: O(1) messages',
      from: "string.sub(client, -1) == '+'",
      to: 'true',
    },
  ]),
  ...mutantsOf('lua/shared/look-again.lua', 'lua/acquire', [
    {
      name: 'the head is not told when to look again',
      breaks: 'a permit that ends is noticed when it ends',
      from: 'if not head or readRecord(head) ~= waitingClient then',
      to: 'if true then',
    },
    {
      name: 'everybody looks when a lease ends',
      breaks: 'guarantee 10: an expiry wakes one client',
      from: 'if not head or readRecord(head) ~= waitingClient then',
      to: 'if not head then',
      caughtBy: ['lua/beat'],
    },
    {
      name: 'the end of the window is not told',
      breaks: 'the line is served when the window ends',
      from: 'if semaphore.nowMs < semaphore.openAtMs then',
      to: 'if false then',
      caughtBy: ['lua/restore'],
    },
    {
      name: 'what was too much for one call waits for a beat',
      breaks: 'rule 1: bounded work, continued by the next call',
      from: 'if semaphore.unfinished then',
      to: 'if false then',
      caughtBy: ['lua/shared'],
    },
    {
      name: 'the last expiry is told, not the first',
      breaks: 'a permit that ends is noticed when it ends',
      from: "redis.call('ZRANGE', semaphore.permitsKey, '0', '0', 'WITHSCORES')",
      to: "redis.call('ZRANGE', semaphore.permitsKey, '-1', '-1', 'WITHSCORES')",
    },
  ]),
  ...mutantsOf('src/engine.ts', 'client/wake-ups', [
    {
      name: 'messages of another epoch are believed',
      breaks: 'load-bearing: messages carry the epoch',
      from: 'message.epoch !== session.epoch || ',
      to: '',
      caughtBy: ['client/wake-ups', "interleavings > 'a loss of data, and releases'"],
    },
    {
      name: 'a message from a clock that was set forward is believed',
      breaks: 'guarantee 8: no permit is relied on past its expiry',
      from: 'bound.allows(message.nowMs)',
      to: 'true',
    },
  ]),
  ...mutantsOf('src/redis/wakeups.ts', 'client/wake-ups', [
    {
      name: 'a dead subscriber is never replaced',
      breaks: 'guarantee 9: a lost subscriber delays',
      from: '        subscriber.close();\n        this.#subscriber = undefined;\n        this.listen();\n',
      to: '',
    },
  ]),
];
