import { InvalidOptionsError, ParkadeError } from '../index.ts';
import { exitCodes } from './exit-codes.ts';

/** Ends the command with this line on stderr and this exit code. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Whatever a command threw, as one line and an exit code. Only a bug shows its stack. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) {
    return error;
  }
  if (error instanceof InvalidOptionsError) {
    return new Failure(oneLine(error.message), exitCodes.usage);
  }
  if (error instanceof ParkadeError) {
    return new Failure(oneLine(error.message), exitCodes.unavailable);
  }
  const stack = error instanceof Error ? error.stack : String(error);
  return new Failure(`a bug, please report it: ${stack}`, exitCodes.software);
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}
