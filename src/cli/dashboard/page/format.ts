/** A duration for humans: `800 ms`, `12.3 s`, `4 min 10 s`, `3 h 12 min`. */
export function showMs(ms: number): string {
  if (ms < 1000) {
    return `${Math.max(0, Math.round(ms))} ms`;
  }
  if (ms < 60_000) {
    return `${(ms / 1000).toFixed(1)} s`;
  }
  const s = Math.floor(ms / 1000);
  const [days, hours, minutes] = [Math.floor(s / 86_400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (days > 0) {
    return `${days} d ${hours} h`;
  }
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${s % 60} s`;
}

/** In whole seconds from one second on: nothing flickers. */
export function showAge(ms: number): string {
  return ms < 1000 ? '< 1 s' : showMs(ms).replace(/\.\d s$/, ' s');
}

/** A span of time that people choose: `15 min`. */
export const showSpan = (ms: number): string =>
  ms % 3_600_000 === 0 ? `${ms / 3_600_000} h` : `${Math.round(ms / 6_000) / 10} min`;

/** A lower bound, in whole seconds. */
export const showAtLeast = (ms: number): string => `≥ ${ms < 1000 ? '0 s' : showAge(ms)}`;

const number = new Intl.NumberFormat('en');

export const showCount = (value: number): string => number.format(value);

/** How full, as a part of 1; full also where units are held of a limit of 0. */
export function useOf({ held, limit }: { readonly held: number; readonly limit: number }): number {
  return limit > 0 ? held / limit : held > 0 ? 1 : 0;
}

export type Pressure = 'free' | 'tight' | 'full';

/** How near it is to what people should look at. Always shown beside the numbers, never by colour alone. */
export function pressureOf(row: {
  readonly held: number;
  readonly limit: number;
  readonly waiting: number;
}): Pressure {
  if (row.waiting > 0) {
    return 'full';
  }
  return useOf(row) >= 0.8 ? 'tight' : 'free';
}

/** A client's id is `label:random` or `host:pid:random`; what people know is what stands before the last colon. */
export function splitClient(client: string): readonly [known: string, rest: string] {
  const at = client.lastIndexOf(':');
  return at > 0 ? [client.slice(0, at), client.slice(at)] : [client, ''];
}
