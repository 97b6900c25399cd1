import type { Figures } from './figures.ts';

/**
 * With less in each second under fault, a run proves nothing. A machine that has nothing else to do makes several times
 * as much.
 */
const floorPerSecond = { operations: 12, grants: 5, snapshots: 2, faults: 0.7 };

/** What there was too little of for a verdict, in words. */
export function shortfalls(figures: Figures): string[] {
  const faults = Object.values(figures.faults).reduce((sum, count) => sum + count, 0);
  const counts = { ...figures, faults };
  return (Object.keys(floorPerSecond) as (keyof typeof floorPerSecond)[]).flatMap((what) => {
    const floor = Math.ceil(floorPerSecond[what] * figures.seconds);
    return counts[what] >= floor
      ? []
      : [`${counts[what]} ${what} in ${figures.seconds} s are too few; the floor is ${floor}`];
  });
}
