/** One who asked and was granted. `order` rises as grants were made. */
export interface Turn {
  readonly askedAtMs: number;
  /** When the request had left the process: a busy machine may let one wait between asking and sending. */
  readonly sentByMs: number;
  readonly order: number;
}

/**
 * How many pairs were granted the other way round than they asked, where the second asked more than `graceMs` after
 * the first had left its process: that much the way to the server may differ.
 *
 * By a Fenwick tree over the moments of asking, O(n log n).
 */
export function countInversions(turns: readonly Turn[], graceMs: number): number {
  const asked = turns.map(({ askedAtMs }) => askedAtMs).sort((a, b) => a - b);
  const tree = new Array<number>(asked.length + 1).fill(0);
  let inversions = 0;
  let granted = 0;
  for (const { askedAtMs, sentByMs } of turns.toSorted((a, b) => a.order - b.order)) {
    // Those granted before, less those of them who asked before this one was on its way, or not much later.
    let notLater = 0;
    for (let i = countUpTo(asked, sentByMs + graceMs); i > 0; i -= i & -i) notLater += tree[i] as number;
    inversions += granted - notLater;
    granted++;
    for (let i = countUpTo(asked, askedAtMs); i <= asked.length; i += i & -i)
      tree[i] = (tree[i] as number) + 1;
  }
  return inversions;
}

/** How many of the sorted values are not above this one. */
function countUpTo(values: readonly number[], most: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}
