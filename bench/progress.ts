/** On a terminal one line that changes; elsewhere a line for each scenario. On stderr, so that stdout can be piped. */
export function showProgress(): { say(line: string): void; end(): void } {
  const startedAtMs = performance.now();
  const { stderr } = process;
  let lastScenario = '';
  return {
    say(line) {
      const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(0);
      const [scenario = ''] = line.split(':');
      if (stderr.isTTY) stderr.write(`\r\x1b[K${`${seconds} s  ${line}`.slice(0, stderr.columns - 1)}`);
      else if (scenario !== lastScenario) stderr.write(`${seconds} s  ${scenario}\n`);
      lastScenario = scenario;
    },
    end() {
      if (stderr.isTTY) stderr.write('\r\x1b[K');
    },
  };
}
