import { constants } from 'node:os';
import { exitCodes } from './exit-codes.ts';

/** As shells have it: 128 and the number of the signal. */
export function codeOf(signal: NodeJS.Signals): number {
  return exitCodes.signal + (constants.signals[signal] ?? 0);
}

/** Stops this process as SIGTSTP does where nobody listens to it; returns when it is continued. */
export function stopSelf(listener: (signal: NodeJS.Signals) => void): void {
  process.off('SIGTSTP', listener);
  process.kill(process.pid, 'SIGTSTP');
  process.on('SIGTSTP', listener);
}
