/** Whoever reads the output may have seen enough, as `head` has: what is still to be written is then nobody's. */
export function letReadersLeave(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
