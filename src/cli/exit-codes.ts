/**
 * What the command ends with, in the tradition of sysexits and of shells. `run` ends with the code of what it ran,
 * unless something else happened first.
 */
export const exitCodes = {
  ok: 0,
  /** What was asked for is not there: no such semaphore, no such permit. */
  notFound: 1,
  /** EX_USAGE: an option or argument is not what is allowed. */
  usage: 64,
  /** EX_UNAVAILABLE: Redis can't be reached, or refuses. */
  unavailable: 69,
  /** EX_SOFTWARE: a bug. */
  software: 70,
} as const;
