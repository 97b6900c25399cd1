/** Of numbers in any order; NaN of none. */
export function median(values: readonly number[]): number {
  return quantile(sorted(values), 0.5);
}

export function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

/** Of sorted numbers, between the two nearest. */
export function quantile(values: readonly number[], q: number): number {
  const at = (values.length - 1) * q;
  const [low, high] = [values[Math.floor(at)], values[Math.ceil(at)]];
  if (low === undefined || high === undefined) return Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** Jain's index of fairness: 1 if all have the same, 1/n if one has everything. */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return sum ** 2 / (shares.length * squares);
}
