import { describe, expect, it } from 'vitest';
import { runExample } from '../support/examples.ts';

describe('the scenes of asyncio semaphores, as examples that run', () => {
  it('five tasks with two permits go in three waves, in the order of asking', async () => {
    const lines = await runExample('five-tasks.ts');
    const acquired = lines.filter((line) => line.includes('acquired')).map((line) => line.slice(0, 5));
    expect(acquired).toEqual(['task0', 'task1', 'task2', 'task3', 'task4']);
    // Never more than two between acquiring and releasing.
    let held = 0;
    for (const line of lines) {
      held += line.includes('acquired') ? 1 : line.includes('releasing') ? -1 : 0;
      expect(held).toBeLessThanOrEqual(2);
    }
    const seconds = Number(/in ([\d.]+) s/.exec(lines.at(-1) ?? '')?.[1]);
    expect(seconds).toBeGreaterThanOrEqual(3);
  });

  it('ten requests from one process, and forty from four, are never served more than three at once', async () => {
    const [one, four] = await runExample('ten-requests.ts', { SERVICE_MS: '250' });
    expect(one).toMatch(/^One process: 10 requests in [\d.]+ service times, at most 3 at once$/);
    const waves = Number(/in ([\d.]+) service/.exec(one ?? '')?.[1]);
    expect(waves).toBeGreaterThanOrEqual(4);
    expect(four).toBe('Four processes: exit codes 0, 0, 0, 0, at most 3 at once');
  });

  it('a bounded semaphore refuses the third release of two, and says so', async () => {
    const lines = await runExample('bounded.ts');
    expect(lines.slice(0, 3)).toEqual([
      'Semaphore value: 0',
      'After one release: 1',
      'After second release: 2',
    ]);
    expect(lines[3]).toContain('released too many times');
  });

  it('who waits longer than its time-out leaves, the others are served, and nothing is left behind', async () => {
    expect(await runExample('time-outs.ts')).toEqual([
      'The second holds it for 0.5 s:',
      'task1 got semaphore after waiting',
      'task2 got semaphore after waiting',
      'task3 got semaphore after waiting',
      'At the end: 0 held, 0 waiting',
      'The second holds it for 1.5 s:',
      'task1 got semaphore after waiting',
      'task2 got semaphore after waiting',
      'task3 timed out waiting for semaphore',
      'At the end: 0 held, 0 waiting',
    ]);
  });
});

describe('a deployment of two limits', () => {
  it('ends as the policy says: an error, the old limit, or the new one for everybody', async () => {
    expect(await runExample('rolling-limit.ts')).toEqual([
      "error: the limit is 3, the new pod is refused, the old pod's waiter is not served",
      "adopt: the limit is 3, the new pod waits its turn, the old pod's waiter is not served",
      "resize: the limit is 5, the new pod gets a permit, the old pod's waiter is served",
      'resize: the limit is 5',
    ]);
  });
});
