import { ParkadeError, type ParkadeErrorCode } from '../index.ts';
import { exitCodes } from './exit-codes.ts';

/** Ends the command with this line on stderr and this exit code. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

const codes: Partial<Record<ParkadeErrorCode, number>> = {
  INVALID_OPTIONS: exitCodes.usage,
  WEIGHT_EXCEEDS_LIMIT: exitCodes.usage,
  ACQUIRE_TIMEOUT: exitCodes.timeout,
  QUEUE_FULL: exitCodes.timeout,
  LIMIT_MISMATCH: exitCodes.mismatch,
  PERMIT_LOST: exitCodes.lost,
  ACQUIRE_REVOKED: exitCodes.lost,
};

/** Whatever a command threw, as one line and an exit code. Only a bug shows its stack. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) {
    return error;
  }
  if (error instanceof ParkadeError) {
    return new Failure(error.message.replace(/\s*\n\s*/g, ' '), codes[error.code] ?? exitCodes.unavailable);
  }
  const stack = error instanceof Error ? error.stack : String(error);
  return new Failure(`a bug, please report it: ${stack}`, exitCodes.software);
}
