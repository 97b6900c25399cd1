/** Columns as wide as what they hold; numbers to the right. Nothing that needs a terminal. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => String(row[i]).length)));
  const right = head.map((_title, i) => rows.length > 0 && rows.every((row) => typeof row[i] === 'number'));
  return [head, ...rows].map((row) =>
    row
      .map((cell, i) => String(cell)[right[i] ? 'padStart' : 'padEnd'](widths[i] as number))
      .join('  ')
      .trimEnd(),
  );
}
