// Tells which signals it gets, and on SIGUSR2 how often it got each, and ends.
const counts = {};
for (const signal of [
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGHUP',
  'SIGWINCH',
  'SIGCONT',
  'SIGUSR1',
  'SIGUSR2',
]) {
  process.on(signal, () => {
    counts[signal] = (counts[signal] ?? 0) + 1;
    process.stdout.write(`heard ${signal}\n`);
    if (signal === 'SIGUSR2') {
      process.stdout.write(`counts ${JSON.stringify(counts)}\n`);
      process.exit(5);
    }
  });
}
setInterval(() => {}, 1_000);
process.stdout.write(`ready ${process.ppid} ${process.pid}\n`);
