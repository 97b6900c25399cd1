/**
 * Looks after the dependencies: known holes in any of them (`npm audit`), and of those that reach users the names, the
 * licences and that they run nothing when installed. Where the registry has no audit service, it says so and passes.
 */
import { readFileSync } from 'node:fs';
import { x } from 'tinyexec';
import { readAudit } from '../support/dependencies/findings.ts';
import { problemsOf } from '../support/dependencies/rules.ts';

const read = (file: string) => JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'));

const problems = problemsOf(read('package.json'), read('package-lock.json'));
const { stdout, stderr } = await x('npm', ['audit', '--json'], { throwOnError: false });
const audit = readAudit(stdout || stderr);
if (audit.kind === 'findings') {
  problems.push(...audit.findings);
}
for (const problem of problems) {
  console.log(problem);
}
console.log(
  audit.kind === 'unavailable'
    ? `npm audit was skipped: ${audit.why}.`
    : `npm audit: ${audit.kind === 'clean' ? 'nothing is known against any package' : `${audit.findings.length} findings`}.`,
);
process.exitCode = problems.length > 0 ? 1 : 0;
