import { InvalidArgumentError } from 'commander';

/** A whole number of at least this. */
export const integer =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Allowed is an integer ≥ ${least}.`);
    }
    return value;
  };

/** A TCP port; 0 lets the system choose. */
export function port(text: string): number {
  const value = integer(0)(text);
  if (value > 65_535) {
    throw new InvalidArgumentError('Allowed is a port: 0 to 65535.');
  }
  return value;
}

const units: Record<string, number> = { ms: 1, '': 1000, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration as humans write it, in ms: `30`, `30s`, `1.5m`, `500ms`. Seconds where no unit is given. */
export function duration(text: string): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (amount === undefined) {
    throw new InvalidArgumentError(
      'Allowed is a number with ms, s, m or h behind it, or of seconds: 500ms, 30, 1.5m.',
    );
  }
  return Math.round(Number(amount) * (units[unit] as number));
}

/** A duration for humans: `800 ms`, `12.3 s`, `4 min`. */
export function showMs(ms: number): string {
  if (ms < 1000) {
    return `${Math.round(ms)} ms`;
  }
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
