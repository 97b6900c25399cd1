import { describe, expect, test } from 'vitest';
import { compose, scriptNames } from '../../scripts/compose-lua.ts';
import { contractFaults } from './header-contract.ts';

describe('header, binding block and use agree', () => {
  test('in each of the scripts, of which there are eight', () => {
    expect(scriptNames()).toEqual([
      'acquire',
      'beat',
      'inspect',
      'release',
      'renew',
      'resize',
      'restore',
      'revoke',
    ]);
  });

  test.each(scriptNames())('in %s', (name) => {
    expect(contractFaults(compose(name))).toEqual([]);
  });

  test.each(scriptNames())('in %s, which includes each of its parts once and knows them all', (name) => {
    const text = compose(name);
    const functions = [...text.matchAll(/^local function (\w+)/gm)].map(([, found]) => found);
    expect(text).not.toContain('#include');
    expect(new Set(functions).size).toBe(functions.length);
  });
});

const good = `-- Says what it does.
--
-- KEYS[1] boxKey    hash: what is in the box
-- KEYS[2] lidKey    string: the lid
local boxKey, lidKey = KEYS[1], KEYS[2]
-- ARGV[1] size      integer: how large
-- ARGV[2] isOpen    0 or 1: whether it is open
-- ARGV[3...] items  what to put in
local size, isOpen = ARGV[1] + 0, ARGV[2] == '1'
local items, firstItem = ARGV, 3
--
-- Reply: nothing.

local function put(boxKey, item)
  redis.call('HSET', boxKey, item, 1) -- one more
end

for i = firstItem, #items do
  put(boxKey, items[i])
end
return { redis.call('GET', lidKey), size, isOpen }
`;

/** The good text with one thing changed. */
function broken(from: string, to: string): string {
  expect(good.split(from)).toHaveLength(2);
  return good.replace(from, to);
}

describe('the check', () => {
  test('has nothing against a text where all is as it should be', () => {
    expect(contractFaults(good)).toEqual([]);
  });

  test.each([
    [
      'a name other than the header has',
      'local boxKey,',
      'local caseKey,',
      'KEYS[1] boxKey is bound as KEYS[1] caseKey',
    ],
    [
      'two indices that are swapped',
      'KEYS[1], KEYS[2]',
      'KEYS[2], KEYS[1]',
      'KEYS[1] boxKey is bound as KEYS[1] lidKey',
    ],
    [
      'an argument that is not bound',
      ', lidKey = KEYS[1], KEYS[2]',
      ' = KEYS[1]',
      'KEYS[2] lidKey is not bound',
    ],
    [
      'an argument that the header leaves out',
      '-- KEYS[2] lidKey    string: the lid\n',
      '',
      'KEYS[2] lidKey is bound, but the header does not know it',
    ],
    [
      'an argument without a word of explanation',
      'lidKey    string: the lid',
      'lidKey',
      'KEYS[2] lidKey is bound, but the header does not know it',
    ],
    ['an argument that nothing uses', "redis.call('GET', lidKey)", 'nil', 'KEYS[2] lidKey is not used'],
    [
      'an argument that only a comment uses',
      "redis.call('GET', lidKey)",
      'nil -- lidKey',
      'KEYS[2] lidKey is not used',
    ],
    [
      'an argument that only a text uses',
      "redis.call('GET', lidKey)",
      "'lidKey'",
      'KEYS[2] lidKey is not used',
    ],
    [
      'an argument that only a field uses',
      "redis.call('GET', lidKey)",
      'box.lidKey',
      'KEYS[2] lidKey is not used',
    ],
    [
      'an argument that only a parameter of that name uses',
      'put(boxKey, items',
      'put(size, items',
      'KEYS[1] boxKey is not used',
    ],
    [
      'a list that begins elsewhere than the header says',
      'ARGV, 3',
      'ARGV, 4',
      'ARGV[3...] items is not bound',
    ],
    [
      'a list where the header has one',
      '-- ARGV[3...] items',
      '-- ARGV[3] items',
      'ARGV[3] items is bound as ARGV[3...] items',
    ],
    [
      'a list without its first index',
      'local items, firstItem = ARGV, 3',
      'local items = ARGV',
      '"items = ARGV" is no binding of an argument',
    ],
    [
      'a value that is computed',
      'ARGV[1] + 0',
      'ARGV[1] + 1',
      '"size = ARGV[1] + 1" is no binding of an argument',
    ],
    ['an index that is left out', "ARGV[2] == '1'", "ARGV[5] == '1'", 'ARGV[2] isOpen is not bound'],
    ['a use of the bare list below', '#items do', '#ARGV do', 'speaks of ARGV below the binding block'],
    [
      'a use of a bare key below',
      'put(boxKey, items',
      'put(KEYS[1], items',
      'speaks of KEYS below the binding block',
    ],
    [
      'a binding below other code',
      'for i = firstItem',
      'local extra = ARGV[9]\nfor i = firstItem',
      'binds arguments below the binding block',
    ],
  ])('finds %s', (_what, from, to, fault) => {
    expect(contractFaults(broken(from, to)).join('\n')).toContain(fault);
  });
});
