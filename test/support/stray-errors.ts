import { afterEach, beforeEach, expect } from 'vitest';

/** In every test of the file: nothing may reject unhandled, and nothing may be thrown out of a timer or a socket. */
export function refuseStrayErrors(): void {
  let strays: unknown[] = [];
  const note = (error: unknown) => strays.push(error);

  beforeEach(() => {
    strays = [];
    process.on('unhandledRejection', note);
    process.on('uncaughtException', note);
  });

  afterEach(async () => {
    // A rejection counts as unhandled at the end of the turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
    expect(strays).toEqual([]);
  });
}
