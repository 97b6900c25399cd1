import { Redis } from 'ioredis';
import { afterAll, describe, expect, it } from 'vitest';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { explore, writeSteps } from './explore.ts';
import { MemoisedServer } from './memoised-server.ts';
import { allPrograms, smallPrograms } from './programs.ts';

const redis = new Redis(redisUrl());
afterAll(() => redis.quit());

/** In all programs together; fewer means that something was left out. */
const fewestStates = 80_000;
let states = 0;

/** The others are gone through by `npm run interleavings`; that each can be is seen soon. */
const largePrograms = allPrograms.filter((program) => !smallPrograms.includes(program));
const beginning = 400;

describe('in every order of all that can happen, no promise is broken and all comes to its end', () => {
  it.each(smallPrograms)('$name: $about', { timeout: 120_000 }, async (program) => {
    const { figures, counterexample, isWhole } = await explore(
      program,
      new MemoisedServer(redis, uniquePrefix()),
    );
    states += figures.states;
    console.log(`${program.name}: ${figures.states} states, ${figures.steps} steps`);
    expect(
      counterexample && { faults: counterexample.faults, replay: writeSteps(counterexample.steps) },
    ).toBe(undefined);
    expect(isWhole).toBe(true);
  });

  it('counts only if there were as many states as the programs have', () => {
    console.log(`${states} states`);
    expect(states).toBeGreaterThanOrEqual(fewestStates);
  });
});

it.each(largePrograms)('from the first states of $name all comes to its end, too', async (program) => {
  const { counterexample } = await explore(program, new MemoisedServer(redis, uniquePrefix()), {
    mostStates: beginning,
  });
  expect(counterexample && { faults: counterexample.faults, replay: writeSteps(counterexample.steps) }).toBe(
    undefined,
  );
});
