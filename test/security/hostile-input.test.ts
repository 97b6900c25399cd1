import { describe, expect, it } from 'vitest';
import { openClient, openRedis } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';

refuseStrayErrors();

const refused = [
  ['braces', 'a}:{b'],
  ['a line end', 'a\r\nb'],
  ['commands of RESP', '*1\r\n$8\r\nFLUSHALL\r\n'],
  ['a zero', 'a\0b'],
  ['half a surrogate pair', 'a\ud83d'],
  ['10 KB', 'x'.repeat(10_240)],
] as const;

const taken = [
  ['Lua', `'] redis.call("FLUSHALL") --[[`],
  ['JSON', '"],[1,"\\u0000\\"'],
  ['patterns', '*?[a-z]^%d%'],
  ['what formats', '%s%.0f%n'],
] as const;

describe('names, labels, prefixes and ids', () => {
  it.each(refused)('with %s are refused with InvalidOptionsError', async (_what, text) => {
    const client = openClient();
    const error = { code: 'INVALID_OPTIONS' };
    const thrownBy = (call: () => unknown) => rejection((async () => call())());
    expect(await thrownBy(() => client.semaphore(text, { limit: 1 }))).toMatchObject(error);
    expect(await thrownBy(() => client.inspect(text))).toMatchObject(error);
    expect(await thrownBy(() => client.revoke('api', text))).toMatchObject(error);
    expect(await thrownBy(() => openClient({ label: text }))).toMatchObject(error);
    expect(await thrownBy(() => openClient({ prefix: text }))).toMatchObject(error);
  });

  it.each(taken)('with %s are only text: a permit is handed on and found under them', async (_what, text) => {
    const prefix = `${uniquePrefix()}${text}`;
    const [a, b] = [openClient({ prefix, label: text }), openClient({ prefix, label: text })];
    const held = await a.semaphore(text, { limit: 1 }).acquire();
    const request = watch(b.semaphore(text, { limit: 1 }).acquire());
    await until('it waits', async () => (await a.inspect(text)).waiting === 1);
    await held.release();
    const permit = await until('it is served', () => request.value);
    expect((await a.inspect(text)).holders).toMatchObject([{ id: permit.id }]);
    const names: string[] = [];
    for await (const name of a.list()) names.push(name);
    expect(names).toEqual([text]);
    expect(await a.revoke(text, permit.id)).toBe(true);
    expect(await openRedis().exists(`${prefix}:{${text}}:state`)).toBe(1);
  });
});
