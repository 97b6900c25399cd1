import type { ScriptCalls } from './connection.ts';

/** A Lua script as the build embeds it. */
export interface Script {
  readonly name: string;
  /** Of the text. */
  readonly sha: string;
  readonly text: string;
}

/** Runs a script by its hash; a server that does not know it (a new one, or after SCRIPT FLUSH) gets the text. */
export async function runScript(
  connection: ScriptCalls,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await connection.evalsha(script.sha, keys, args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) {
      throw error;
    }
    return await connection.eval(script.text, keys, args);
  }
}
