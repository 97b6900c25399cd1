import type { Mutant } from '../mutants/mutant.ts';

/** A mutant of one file, by what is broken and the rule that it breaks. */
const of =
  (file: string, ...caughtBy: string[]) =>
  (name: string, breaks: string, from: string, to: string): Mutant => ({
    name,
    breaks,
    file: `lua/${file}.lua`,
    from,
    to,
    caughtBy: caughtBy.map((test) => `test/lua/${test}.test.ts`),
  });

const acquire = of('acquire', 'acquire', 'shared');
const release = of('release', 'release', 'shared');
const renew = of('renew', 'renew', 'shared');
const beat = of('beat', 'beat', 'resize', 'shared');
const resize = of('resize', 'resize', 'shared');
const restore = of('restore', 'restore', 'shared');
const inspect = of('inspect', 'inspect');
const revoke = of('revoke', 'revoke', 'shared');
const revoked = of('shared/revoked', 'revoke');
const announce = of('shared/announce', 'shared');
const clock = of('shared/clock', 'shared');
const enter = of('shared/enter', 'acquire');
const epoch = of('shared/epoch', 'restore');
const fits = of('shared/fits', 'restore', 'acquire');
const handOff = of('shared/hand-off', 'release', 'shared');
const lookAgain = of('shared/look-again', 'restore', 'acquire', 'shared');
const reap = of('shared/reap', 'acquire', 'shared');
const reply = of('shared/reply', 'shared');
const semaphore = of('shared/semaphore', 'acquire', 'shared');

const unused = 'rule 2: no room is left unused';
const replays = 'rule 5: replays are harmless';
const bounded = 'rule 1: bounded work, continued by the next call';
const present = 'guarantee 5: a live waiter keeps its place';
const numbers = 'guarantee 7: tokens rise strictly';
const counted = 'guarantee 1: never over the limit';
const ttl = 'nothing is left behind';
const time = 'time goes on, and never back';
const forgotten = 'rule 3: forgotten, and nothing changed';
const gone = 'what was revoked does not come back';
const closed = 'load-bearing: closed window';

/** More ways to break the scripts, line by line; each was tried against the tests in this folder. */
export const scriptMutants: readonly Mutant[] = [
  acquire(
    'an expired record that is asked for again counts twice',
    replays,
    "    redis.call('ZREM', permitsKey, record)\n    semaphore.held = semaphore.held - weight\n",
    '',
  ),
  acquire(
    'with limit 0 nobody may wait',
    'with limit 0 one waits for a resize',
    'if semaphore.limit > 0 and weight > semaphore.limit then',
    'if weight > semaphore.limit then',
  ),
  acquire(
    'what can never fit is queued',
    'a weight above the limit is refused at once',
    'if semaphore.limit > 0 and weight > semaphore.limit then',
    'if false then',
  ),
  acquire('the line may be longer by one', 'maxWaiting', 'waiting >= maxWaiting', 'waiting > maxWaiting'),
  acquire('a batch does not count its own waiters', 'no barging', '  waiting = waiting + 1\n', ''),
  acquire(
    'a refused try stops those behind it',
    'a refused try stops nobody',
    "    return { 'full', waiting }",
    "    waiting = waiting + 1\n    return { 'full', waiting - 1 }",
  ),
  acquire(
    'a place that is asked for again is no sign of life',
    present,
    '  if ticket then\n    queuedAny = true\n',
    '  if ticket then\n',
  ),
  acquire(
    'a client that queues is not present',
    present,
    "  redis.call('ZADD', clientsKey, string.format('%.0f', semaphore.nowMs + presenceMs), clientId)\n",
    '',
  ),
  acquire(
    'everyone who asks counts as waiting',
    'only waiting clients are present',
    'if queuedAny then',
    'if true then',
  ),
  acquire(
    'a place in line is judged anew when it is asked for again',
    replays,
    '  if ticket then\n',
    '  if ticket and weight <= semaphore.limit then\n',
  ),
  acquire(
    'a mismatch is an error for everyone',
    'onLimitMismatch',
    "if onLimitMismatch == 'error' then",
    'if true then',
  ),
  acquire(
    'a mismatch is compared with the limit in force',
    'a resize is no mismatch',
    'if limit ~= semaphore.declared then',
    'if limit ~= semaphore.limit then',
  ),
  acquire('a resize by declaration is not declared', replays, "    semaphore.set('declared', limit)\n", ''),
  acquire(
    'a resize by declaration sets nothing',
    'onLimitMismatch',
    "    semaphore.set('limit', limit)\n",
    '',
  ),
  acquire(
    'whoever adopts the limit sets it',
    'onLimitMismatch',
    "elseif onLimitMismatch == 'resize' then",
    'else',
  ),
  acquire(
    'a mismatch changes something',
    'a mismatch changes nothing',
    'if limit ~= semaphore.declared then',
    'reap(semaphore)\nif limit ~= semaphore.declared then',
  ),
  acquire('an acquire does not reap', unused, 'reap(semaphore)\n', ''),
  acquire('an acquire does not hand off', unused, 'local told = handOff(', 'local told = {} or handOff('),
  acquire(
    'a grant that is asked for again repeats the last number',
    numbers,
    "  if heldUntilMs > semaphore.nowMs then\n    return { 'granted', drawNumber(semaphore), heldUntilMs }",
    "  if heldUntilMs > semaphore.nowMs then\n    return { 'granted', semaphore.seq, heldUntilMs }",
  ),
  acquire(
    'a grant that is asked for again starts its lease anew',
    replays,
    "  if heldUntilMs > semaphore.nowMs then\n    return { 'granted', drawNumber(semaphore), heldUntilMs }",
    '  if heldUntilMs > semaphore.nowMs then\n    return grant(record, leaseMs)',
  ),
  acquire('tickets keep 14 digits only', numbers, "string.format('%.0f', ticket)", 'tostring(ticket)'),
  acquire(
    'a full Redis takes requests in',
    'rule 4: an acquire is refused by a full Redis',
    'local answers = {}',
    "redis.call('PEXPIRE', stateKey, retentionMs)\nlocal answers = {}",
  ),

  release('a release frees no units', counted, '      semaphore.held = semaphore.held - weight\n', ''),
  release(
    'a release leaves the permit',
    'a release takes the permit out',
    "redis.call('ZREM', permitsKey, record) == 1",
    "redis.call('ZSCORE', permitsKey, record)",
  ),
  release(
    'an expired permit counts as held',
    'guarantee 6: stale permits free nothing',
    'if not isExpired and redis',
    'if redis',
  ),
  release(
    'whatever is released was held',
    'guarantee 6: owner-checked and once',
    'local released = 0',
    'local released = 1',
  ),
  release('a release does not reap', unused, 'reap(semaphore)\n', ''),

  renew('a renewal does not reap', unused, 'reap(semaphore)\n', ''),
  renew('a renewal does not hand off', unused, 'local told = handOff(', 'local told = {} or handOff('),
  renew(
    'a renewal is told, but not written',
    'a renewal gives a new expiry',
    "    redis.call('ZADD', permitsKey, string.format('%.0f', expiresAtMs), record)\n",
    '',
  ),
  renew(
    'an expired permit that is still there is renewed',
    'guarantee 7: a lost permit never revives',
    'or 0) > semaphore.nowMs then',
    'or 0) > 0 then',
  ),
  renew(
    'a renewal never shortens',
    'permit.renew(ms) counts from now',
    "'ZADD', permitsKey, string",
    "'ZADD', permitsKey, 'GT', string",
  ),

  beat(
    'a beat is no sign of life',
    present,
    "  redis.call('ZADD', clientsKey, string.format('%.0f', semaphore.nowMs + presenceMs), clientId)\n",
    '',
  ),
  beat(
    'who only looks in counts as waiting',
    'only waiting clients are present',
    "if waiting == '1' then",
    'if true then',
  ),
  beat(
    'a beat counts after the line was judged',
    present,
    'reap(semaphore)\n',
    "redis.call('ZREM', clientsKey, clientId)\nreap(semaphore)\n",
  ),
  beat(
    'clients gone for good are never deleted',
    ttl,
    "  redis.call('ZREMRANGEBYSCORE', clientsKey, '-inf', string.format('(%.0f', goneBeforeMs))\n",
    '',
  ),
  beat(
    'clients gone for good stay when nobody waits any more',
    ttl,
    "if waiting == '1' or not semaphore.hasLine then",
    "if waiting == '1' then",
  ),
  beat(
    'a line may be left without clients',
    forgotten,
    "if waiting == '1' or not semaphore.hasLine then",
    'if true then',
  ),
  beat(
    'nobody is told that it was refused for its weight',
    'waiters that a resize makes impossible are refused',
    "{ 'unknown', semaphore.refusedAtMs }",
    "{ 'unknown', 0 }",
  ),
  beat(
    'clients in their grace are deleted',
    present,
    'isGrace and math.min(semaphore.nowMs, semaphore.graceFromMs) or semaphore.nowMs',
    'semaphore.nowMs',
  ),
  beat(
    'who came back never loses its grace',
    ttl,
    'local isGrace = semaphore.graceUntilMs > semaphore.nowMs',
    'local isGrace = semaphore.graceFromMs > 0',
  ),
  beat(
    'a beat repeats the last number',
    numbers,
    "{ 'granted', drawNumber(semaphore), heldUntilMs }",
    "{ 'granted', semaphore.seq, heldUntilMs }",
  ),
  beat(
    'a beat calls expired permits granted',
    'guarantee 7: a lost permit never revives',
    'elseif heldUntilMs > semaphore.nowMs then',
    'elseif heldUntilMs > 0 then',
  ),
  beat(
    'everyone who looks in is told when to look again',
    'guarantee 10: an expiry wakes one client',
    "lookAgainAtMs(semaphore, waiting == '1' and clientId)",
    'lookAgainAtMs(semaphore, clientId)',
  ),

  resize('a resize does not reap', unused, 'reap(semaphore)\n', ''),
  resize('a resize does not hand off', unused, 'local told = handOff(', 'local told = {} or handOff('),
  resize(
    'a resize is a declaration',
    'a resize is no mismatch',
    "  semaphore.set('limit', newLimit)\n",
    "  semaphore.set('limit', newLimit)\n  semaphore.set('declared', newLimit)\n",
  ),
  resize(
    'an added unit is remembered for a presence time only',
    'a unit is added once',
    'semaphore.nowMs + memoryMs',
    'semaphore.nowMs + presenceMs',
  ),
  resize('a limit cannot be 0', 'limit 0 is a limit', 'if newLimit >= 0 then', 'if newLimit > 0 then'),

  restore(
    'a restorer goes on with an epoch that it knows',
    'epochs: a loss is made known',
    '(semaphore.epoch or 0) <= epoch',
    '(semaphore.epoch or 0) < epoch',
  ),
  restore(
    'a permit that is restored twice starts its lease anew',
    replays,
    "redis.call('ZADD', permitsKey, 'NX', string.format('%.0f', expiresAtMs), record) == 1",
    "redis.call('ZADD', permitsKey, 'CH', string.format('%.0f', expiresAtMs), record) == 1",
  ),
  restore(
    'a permit that is put back waits as well',
    counted,
    "    redis.call('ZREM', waitersKey, record) -- where an older copy of the data has it\n",
    '',
  ),
  restore(
    'the answer is what was asked for, not what is',
    'a permit is valid as long as the server says',
    "    expiresAtMs = tonumber(redis.call('ZSCORE', permitsKey, record))\n",
    '',
  ),
  restore(
    'what was granted meanwhile is queued again',
    replays,
    "if not redis.call('ZSCORE', permitsKey, entries[i]) then",
    'if true then',
  ),
  restore(
    'who restores waiters is not present',
    present,
    "  redis.call('ZADD', clientsKey, string.format('%.0f', semaphore.nowMs + presenceMs), clientId)\n",
    '',
  ),
  restore('restored waiters are not seen', unused, '  semaphore.hasLine = true\n', ''),
  restore('a restore does not reap', unused, 'reap(semaphore)\n', ''),
  restore('a restore does not hand off', unused, 'local told = handOff(', 'local told = {} or handOff('),
  restore(
    'permits that are left do not count in the new epoch',
    counted,
    "  semaphore.held = 0\n  for _, record in ipairs(redis.call('ZRANGE', permitsKey, 0, -1)) do\n    local _, _, weight = readRecord(record)\n    semaphore.held = semaphore.held + weight\n  end\n",
    '  semaphore.held = 0\n',
  ),
  restore(
    'permits that are left count twice in the new epoch',
    counted,
    '  semaphore.held = 0\n  for',
    '  for',
  ),
  restore(
    'a new epoch has the limit that was declared',
    'a resize survives a loss',
    "  beginEpoch(semaphore, limit)\n  semaphore.set('limit', limitInForce)\n",
    '  beginEpoch(semaphore, limit)\n',
  ),
  restore(
    'an epoch that a newcomer began keeps the limit of the newcomer',
    'a resize survives a loss',
    "elseif lost and semaphore.openAtMs == 0 then\n  semaphore.set('declared', limit)\n  semaphore.set('limit', limitInForce)\n",
    "elseif lost and semaphore.openAtMs == 0 then\n  semaphore.set('declared', limit)\n",
  ),
  restore(
    'every restorer closes the semaphore again',
    closed,
    'elseif lost and semaphore.openAtMs == 0 then',
    'elseif lost then',
  ),
  restore(
    'a restorer that comes late closes the semaphore again',
    closed,
    'elseif lost and semaphore.openAtMs == 0 then',
    'elseif lost and semaphore.openAtMs <= semaphore.nowMs then',
  ),
  restore(
    'going back to a place closes the semaphore',
    closed,
    'elseif lost and semaphore.openAtMs == 0 then',
    'elseif semaphore.openAtMs == 0 then',
  ),
  restore(
    'waiters may go back to any epoch',
    forgotten,
    'if not lost and (torn or semaphore.epoch ~= epoch) then',
    'if not lost and torn then',
  ),
  restore(
    'waiters may go back into torn data',
    forgotten,
    'if not lost and (torn or semaphore.epoch ~= epoch) then',
    'if not lost and semaphore.epoch ~= epoch then',
  ),
  restore(
    'torn data is joined',
    'torn data gives way to a new epoch',
    'elseif lost and (torn or (semaphore.epoch or 0) <= epoch) then',
    'elseif lost and ((semaphore.epoch or 0) <= epoch) then',
  ),
  restore(
    'a line of which nobody knows who is there is kept',
    present,
    "    redis.call('DEL', waitersKey)\n    semaphore.hasLine = false\n",
    '',
  ),
  restore(
    'an epoch that a newcomer began keeps its declaration',
    'a mismatch is told by what was declared first',
    "  semaphore.set('declared', limit)\n",
    '',
  ),
  restore(
    'bounded handles are forgotten',
    'bounded: refuses releases too many',
    "if bounded == '1' then\n  semaphore.set('bounded', 1)\nend\n",
    '',
  ),
  restore(
    'restorers are not told when to look',
    'the line is served when the window ends',
    'lookAgainAtMs(semaphore, waiting and clientId)',
    'lookAgainAtMs(semaphore)',
  ),
  restore(
    'a full Redis keeps what was lost from being put back',
    'rule 4: the first write is one that a full Redis allows',
    'allowInFullRedis(semaphore)\n',
    '',
  ),

  inspect(
    'expired permits are listed',
    'expired permits are left out',
    "local valid = string.format('(%.0f', nowMs)",
    "local valid = '-inf'",
  ),
  inspect('expired permits count as held', 'expired permits are left out', '  held = held - weight\n', ''),
  inspect('a look goes by another time', time, '(tonumber(state[6]) or 0)) / 1000)', '0) / 1000)'),
  inspect('a look runs back', time, 'nowMs = math.max(nowMs, tonumber(state[5]) or 0)\n', ''),
  inspect(
    'a look lists everything',
    'a look costs what it returns',
    "'WITHSCORES', 'LIMIT', firstWaiter, waiterCount",
    "'WITHSCORES', 'LIMIT', 0, -1",
  ),
  inspect(
    'a look lists the first page always',
    'pages',
    "'LIMIT', firstHolder, holderCount",
    "'LIMIT', 0, holderCount",
  ),
  inspect(
    'a look tells the limit declared',
    'the limit in force',
    'nowMs, tonumber(state[1] or -1)',
    'nowMs, tonumber(state[2] or -1)',
  ),

  announce(
    'each grant is a message',
    'guarantee 10: O(1) messages',
    '      for i = 1, #news, 3 do',
    '      for i = 1, 3, 3 do',
  ),
  announce(
    "the caller's grants are left out of the reply",
    'grants of the caller travel in the reply',
    'return told[clientId] or {}',
    'return {}',
  ),
  announce(
    'messages tell the limit declared',
    'messages tell the limit in force',
    'semaphore.epoch, semaphore.nowUs, semaphore.limit',
    'semaphore.epoch, semaphore.nowUs, semaphore.declared',
  ),
  clock(
    'time has whole seconds only',
    time,
    'tonumber(time[1]) * 1000000 + tonumber(time[2])',
    'tonumber(time[1]) * 1000000',
  ),
  enter(
    'a bounded handle is not remembered',
    'bounded: refuses releases too many',
    "    semaphore.set('bounded', 1)\n",
    '',
  ),
  epoch(
    'units held without permits are nothing special',
    forgotten,
    'return (semaphore.held > 0 and not semaphore.hasPermits) or not semaphore.hasClients',
    'return not semaphore.hasClients',
  ),
  epoch(
    'a line without clients is nothing special',
    forgotten,
    'return (semaphore.held > 0 and not semaphore.hasPermits) or not semaphore.hasClients',
    'return semaphore.held > 0 and not semaphore.hasPermits',
  ),
  epoch(
    'permits without state are nothing special',
    forgotten,
    'return semaphore.hasPermits or semaphore.hasLine',
    'return semaphore.hasLine',
  ),
  epoch(
    'a line without state is nothing special',
    forgotten,
    'return semaphore.hasPermits or semaphore.hasLine',
    'return semaphore.hasPermits',
  ),
  epoch(
    'an epoch has no number of its own',
    numbers,
    "semaphore.set('epoch', drawNumber(semaphore))",
    "semaphore.set('epoch', semaphore.nowMs)",
  ),
  fits('the window is open', closed, 'semaphore.nowMs >= semaphore.openAtMs and ', ''),
  fits(
    'the window is open a millisecond later',
    closed,
    'semaphore.nowMs >= semaphore.openAtMs',
    'semaphore.nowMs > semaphore.openAtMs',
  ),
  fits('the last unit is never granted', unused, '<= semaphore.limit', '< semaphore.limit'),
  handOff(
    'a heavy head goes to the end of the line',
    'load-bearing: strict head',
    'local leaving, permits, isNew = 0, {}, semaphore.held == 0\n',
    "local leaving, permits, isNew = 0, {}, semaphore.held == 0\n    local _, _, heavy = readRecord(line[1] or '')\n    if heavy and not fits(semaphore, heavy) and heavy <= semaphore.limit then\n      redis.call('ZADD', semaphore.waitersKey, string.format('%.0f', drawNumber(semaphore)), line[1])\n      line = redis.call('ZRANGE', semaphore.waitersKey, 0, size - 1)\n    end\n",
  ),
  handOff(
    'a hand-off lease ignores what the record says',
    'a hand-off gives the lease of the record at most',
    'math.min(leaseMs, presence[client] - semaphore.nowMs)',
    'presence[client] - semaphore.nowMs',
  ),
  handOff(
    'absent waiters leave before it is their turn',
    present,
    '      if not sweep and not fits(semaphore, 1) then\n        break\n      end\n',
    '',
  ),
  handOff(
    'a sweep goes on behind a live head',
    present,
    '          if not fits(semaphore, weight) then\n            blocked = true\n',
    "          if not fits(semaphore, weight) then\n            blocked = not sweep\n            if sweep then\n              redis.call('ZREM', semaphore.waitersKey, unpack(line, leaving + 2))\n              blocked = true\n            end\n",
  ),
  handOff(
    'who waits for a limit of 0 to be raised is refused',
    'with limit 0 one waits for a resize',
    'if weight <= semaphore.limit or semaphore.limit == 0 then',
    'if weight <= semaphore.limit then',
  ),
  beat(
    'the dead stay at the head of a line that stands still',
    'guarantee 4: the dead delay the line by one presence time',
    'handOff(semaphore, clientId, presenceMs, true)',
    'handOff(semaphore, clientId, presenceMs)',
  ),
  handOff(
    'a client is absent in the millisecond before',
    present,
    'if presence[client] > semaphore.nowMs then',
    'if presence[client] - 1 > semaphore.nowMs then',
  ),
  handOff(
    'any number of waiters is served in one call',
    bounded,
    'semaphore.nowMs + presenceMs }, 500',
    'semaphore.nowMs + presenceMs }, 100000',
  ),
  handOff(
    'a client that calls may count as absent',
    present,
    '{ [callerId] = semaphore.nowMs + presenceMs }',
    '{}',
  ),
  handOff(
    'it is not remembered when a waiter was refused',
    'waiters that a resize makes impossible are refused',
    "          semaphore.set('refusedAtMs', semaphore.nowMs)\n",
    '',
  ),
  handOff(
    'what is handed off does not count',
    counted,
    '          semaphore.held = semaphore.held + weight\n',
    '',
  ),
  handOff(
    'a single record that is handed off stays in line',
    'a grant moves the record',
    'if leaving > 0 then',
    'if leaving > 1 then',
  ),
  handOff(
    'waiters that are dropped are told',
    'guarantee 10: O(1) messages',
    '      leaving = leaving + 1\n',
    '      leaving = leaving + 1\n      if presence[client] <= semaphore.nowMs then\n        told[client] = { string.sub(record, #client + 2), 0, 0 }\n      end\n',
  ),
  lookAgain(
    'the end of the window is not told',
    'the line is served when the window ends',
    'if semaphore.nowMs < semaphore.openAtMs then',
    'if false then',
  ),
  lookAgain(
    'what was too much for one call waits for a beat',
    bounded,
    'if semaphore.unfinished then',
    'if false then',
  ),
  handOff('waiters that were too many wait for a beat', bounded, '(budget <= 0 and not blocked)', 'false'),
  reap(
    'expired permits that were too many wait for a beat',
    bounded,
    'semaphore.unfinished = #expired == 1000\n',
    '\n',
  ),
  announce(
    'a shard message goes the usual way as well',
    'guarantee 10: O(1) messages',
    'if not heard then',
    'if true then',
  ),
  announce(
    'a shard message that nobody heard is lost',
    'guarantee 9: a lost message delays',
    'if not heard then',
    "if string.sub(client, -1) ~= '+' then",
  ),
  announce(
    'everyone is told on shard channels',
    'guarantee 10: O(1) messages',
    "string.sub(client, -1) == '+'",
    'true',
  ),
  lookAgain(
    'the last expiry is told, not the first',
    'a permit that ends is noticed when it ends',
    "redis.call('ZRANGE', semaphore.permitsKey, 0, 0, 'WITHSCORES')",
    "redis.call('ZRANGE', semaphore.permitsKey, -1, -1, 'WITHSCORES')",
  ),
  reap(
    'a lease lasts a millisecond longer',
    'a lease ends at its expiry',
    "'-inf', semaphore.nowMs,",
    "'-inf', semaphore.nowMs - 1,",
  ),
  reap('any number of permits is reaped in one call', bounded, "'LIMIT', 0, 1000", "'LIMIT', 0, 5000"),
  reap('what is reaped frees no units', counted, '    semaphore.held = semaphore.held - weight\n', ''),
  reply(
    'the time told has whole milliseconds only',
    'the bound of the clocks keeps µs',
    "return { 'ok', semaphore.nowUs,",
    "return { 'ok', semaphore.nowMs * 1000,",
  ),
  reply(
    'the limit in force is told as the one declared',
    'a resize is no mismatch',
    '    semaphore.declared }',
    '    semaphore.limit }',
  ),
  ...['state', 'permits', 'clients'].map((key) =>
    semaphore(`${key} is left without a TTL`, ttl, `    keep(semaphore, semaphore.${key}Key)\n`, ''),
  ),
  acquire(
    'a permit that is the only one has no TTL',
    ttl,
    '  if semaphore.held == 0 then\n    keep(semaphore, permitsKey)\n  end\n',
    '',
  ),
  acquire(
    'a line that begins has no TTL',
    ttl,
    '  if waiting == 0 then\n    keep(semaphore, waitersKey)\n  end\n',
    '',
  ),
  handOff(
    'a permit handed off that is the only one has no TTL',
    ttl,
    '      if isNew then\n        keep(semaphore, semaphore.permitsKey)\n      end\n',
    '',
  ),
  semaphore(
    'TTLs are not given anew',
    ttl,
    'if isStale then\n    semaphore.set',
    'if semaphore.freshAtMs == 0 then\n    semaphore.set',
  ),
  semaphore(
    'numbers that are rare are not searched for',
    time,
    '      semaphore.isRare = true\n      set(',
    '      semaphore.isRare = true\n      local _ = (',
  ),
  semaphore(
    'the longest retention is not remembered',
    'keys outlive what they hold',
    "    set('retentionMs', semaphore.retentionMs)\n",
    '',
  ),
  semaphore(
    'time stands still until a clock that was set back has caught up',
    time,
    "    set('skewUs', semaphore.skewUs + lastMs * 1000 - nowUs)\n",
    '',
  ),
  semaphore(
    'a clock that was set back twice is forgotten once',
    time,
    "set('skewUs', semaphore.skewUs + lastMs * 1000 - nowUs)",
    "set('skewUs', lastMs * 1000 - nowUs)",
  ),
  semaphore(
    'a silence begins after a whole presence time',
    present,
    'semaphore.nowMs - lastMs > presenceMs / 2',
    'semaphore.nowMs - lastMs > presenceMs',
  ),
  semaphore(
    'a silence gives half a presence time',
    present,
    "set('graceUntilMs', semaphore.nowMs + presenceMs)",
    "set('graceUntilMs', semaphore.nowMs + presenceMs / 2)",
  ),
  semaphore(
    'who was present never was',
    present,
    "set('graceFromMs', lastMs)",
    "set('graceFromMs', semaphore.nowMs)",
  ),
  semaphore(
    'a second silence ends the grace of the first',
    present,
    'if lastMs >= semaphore.graceUntilMs or lastMs - semaphore.graceSinceMs > 3 * presenceMs then',
    'if true then',
  ),
  semaphore(
    'rare callers keep the waiters of the dead for ever',
    'guarantee 4: the dead delay the line by one presence time',
    'if lastMs >= semaphore.graceUntilMs or lastMs - semaphore.graceSinceMs > 3 * presenceMs then',
    'if lastMs >= semaphore.graceUntilMs then',
  ),
  semaphore(
    'the state keeps 14 digits only',
    numbers,
    "changes[#changes + 1] = string.format('%.0f', value)",
    'changes[#changes + 1] = tostring(value)',
  ),
  semaphore(
    'numbers fall behind the clock',
    numbers,
    'math.max(semaphore.seq + 1, semaphore.nowUs)',
    'semaphore.seq + 1',
  ),
  semaphore(
    'the last number is not stored',
    numbers,
    "'seq', string.format('%.0f', semaphore.seq),",
    "'seq', string.format('%.0f', semaphore.epoch),",
  ),
  semaphore(
    'the time of the last script is not stored',
    time,
    "    'lastMs', string.format('%.0f', semaphore.nowMs), unpack(semaphore.changes))",
    '    unpack(semaphore.changes))',
  ),
  revoke(
    'a revoked permit is remembered no longer than was asked for',
    gone,
    'math.max(heldUntilMs, semaphore.nowMs + memoryMs)',
    'semaphore.nowMs + memoryMs',
  ),
  revoke('a revoked permit keeps its units', counted, '  semaphore.held = semaphore.held - weight\n', ''),
  revoke(
    'the units of a revoked permit idle',
    unused,
    'local told = handOff(semaphore, clientId, presenceMs)',
    'local told = {}',
  ),
  revoke(
    'a revocation makes a semaphore where there is none',
    'nothing is left behind',
    'if not semaphore.epoch and',
    'if false and',
  ),
  revoke(
    'nobody is told of a revocation',
    gone,
    '  news[#news + 1] = 0\n  news[#news + 1] = semaphore.nowMs\n',
    '  news[#news] = nil\n',
  ),
  revoke(
    'a revocation that is sent twice says that there was nothing',
    replays,
    '(isTaken or isRevoked(semaphore, record))',
    'isTaken',
  ),
  revoke(
    'a waiter can not be revoked',
    gone,
    "isHeld or redis.call('ZREM', waitersKey, record) == 1",
    'isHeld',
  ),
  revoked('what was revoked is forgotten at once', gone, ' > semaphore.nowMs', ' > semaphore.nowMs * 2'),
  of('acquire', 'revoke')(
    'a re-sent acquire brings a revoked permit back',
    gone,
    'if semaphore.nowMs < semaphore.revokedUntilMs and',
    'if false and',
  ),
  of('beat', 'revoke')(
    'a check-in does not know what was revoked',
    gone,
    'elseif isRevoked(semaphore, record) then',
    'elseif false then',
  ),
  of('renew', 'revoke')(
    'a renewal does not know what was revoked',
    gone,
    'elseif isRevoked(semaphore, record) then',
    'elseif false then',
  ),
  of('restore', 'revoke')(
    'a restoration brings a revoked permit back',
    gone,
    'if isRevoked(semaphore, record) then',
    'if false then',
  ),
  of('restore', 'revoke')(
    'a restoration brings a revoked waiter back',
    gone,
    'not isGranted and not isRevoked(semaphore, entries[i])',
    'not isGranted',
  ),
];
