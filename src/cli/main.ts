#!/usr/bin/env node
import { exitCodes } from './exit-codes.ts';
import { runProgram } from './program.ts';

// Whoever reads what we write may have read enough: `parkade list | head -1`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.software);
});

process.exitCode = await runProgram(process.argv.slice(2));
