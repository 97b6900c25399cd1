/** Three digits that count, thousands apart. */
export function readable(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1000) {
    const step = 10 ** (Math.floor(Math.log10(size)) - 2);
    return (Math.round(value / step) * step).toLocaleString('en', { maximumFractionDigits: 0 });
  }
  if (size === 0) return '0';
  return value.toLocaleString('en', { maximumSignificantDigits: 3, useGrouping: false });
}
