import { expect, it } from 'vitest';
import { SemaphoreNames } from '../../src/cli/exporter/names.ts';

/** A walk past the keys that the test drives. */
function openWalks() {
  const walks: { find(name: string): void; end(): void; fail(error: Error): void }[] = [];
  const list = () => {
    const events: (() => IteratorResult<string, undefined>)[] = [];
    let wake = () => {};
    const tell = (event: () => IteratorResult<string, undefined>) => {
      events.push(event);
      wake();
    };
    walks.push({
      find: (value) => tell(() => ({ done: false, value })),
      end: () => tell(() => ({ done: true, value: undefined })),
      fail: (error) =>
        tell(() => {
          throw error;
        }),
    });
    const next = async () => {
      while (events.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return (events.shift() as () => IteratorResult<string, undefined>)();
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  };
  return { walks, list };
}

/** Until all promises that are settled have told so. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

it('sorts the names, and walks once for all who ask at the same time', async () => {
  const { walks, list } = openWalks();
  const names = new SemaphoreNames(list, { freshForMs: 3_600_000, firstWalkMs: 60_000 });
  const asked = [names.known(), names.known()];
  for (const name of ['b', 'c', 'a']) walks[0]?.find(name);
  walks[0]?.end();
  for (const known of await Promise.all(asked)) expect(known).toMatchObject({ names: ['a', 'b', 'c'] });
  await names.known();
  expect(walks).toHaveLength(1);
});

it('shows what was found so far when the first walk takes long, and says that it is not complete', async () => {
  const { walks, list } = openWalks();
  const names = new SemaphoreNames(list, { freshForMs: 3_600_000, firstWalkMs: 0 });
  void names.known();
  walks[0]?.find('a');
  await settle();
  expect(await names.known()).toEqual({ names: ['a'], ageMs: undefined });
  walks[0]?.end();
  await settle();
  expect(await names.known()).toEqual({ names: ['a'], ageMs: expect.any(Number) });
  expect(walks).toHaveLength(1);
});

it('shows the last walk while the next is under way, and still when that fails', async () => {
  const { walks, list } = openWalks();
  const names = new SemaphoreNames(list, { freshForMs: 0, firstWalkMs: 60_000 });
  const first = names.known();
  walks[0]?.find('a');
  walks[0]?.end();
  expect(await first).toMatchObject({ names: ['a'] });
  expect(await names.known()).toMatchObject({ names: ['a'] });
  walks[1]?.find('b');
  await settle();
  expect(await names.known()).toMatchObject({ names: ['a'] });
  walks[1]?.fail(new Error('away'));
  await settle();
  expect(await names.known()).toMatchObject({ names: ['a'] });
  walks[2]?.find('b');
  walks[2]?.end();
  await settle();
  expect(await names.known()).toMatchObject({ names: ['b'] });
});

it('tells why the first walk failed, and walks again for who asks next', async () => {
  const { walks, list } = openWalks();
  const names = new SemaphoreNames(list, { freshForMs: 0, firstWalkMs: 60_000 });
  const first = names.known();
  walks[0]?.fail(new Error('away'));
  await expect(first).rejects.toThrow('away');
  const second = names.known();
  walks[1]?.end();
  expect(await second).toMatchObject({ names: [] });
});
