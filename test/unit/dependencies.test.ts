import { expect, it } from 'vitest';
import { readAudit } from '../../support/dependencies/findings.ts';
import { problemsOf } from '../../support/dependencies/rules.ts';

const zod = { license: 'MIT', dev: true, integrity: 'sha512-x' };
const tool = { license: 'GPL-3.0', dev: true, hasInstallScript: true, integrity: 'sha512-x' };

it('nothing may come along at run time, what is bundled has to be free, and what is for development may be anything', () => {
  const lock = { packages: { '': {}, 'node_modules/zod': zod, 'node_modules/tool': tool } };
  expect(problemsOf({}, lock)).toEqual([]);
});

it.each([
  [
    'a dependency',
    'node_modules/left-pad',
    { ...zod, dev: false },
    'left-pad would be installed with parkade',
  ],
  [
    'another licence',
    'node_modules/zod',
    { ...zod, license: 'AGPL-3.0' },
    'zod reaches users under AGPL-3.0',
  ],
  [
    'a script at installation',
    'node_modules/zod',
    { ...zod, hasInstallScript: true },
    'zod reaches users and',
  ],
  ['no hash', 'node_modules/zod', { license: 'MIT', dev: true }, 'zod has no hash'],
  [
    'no licence in what is bundled',
    'node_modules/nanoid',
    { dev: true, integrity: 'x' },
    'nanoid reaches users',
  ],
])('%s is found', (_what, path, locked, problem) => {
  const problems = problemsOf({}, { packages: { 'node_modules/zod': zod, [path]: locked } });
  expect(problems).toEqual([expect.stringContaining(problem)]);
});

it('a dependency that the lock file does not know yet is found', () => {
  expect(problemsOf({ dependencies: { 'left-pad': '1' } }, { packages: {} })).toEqual([
    expect.stringContaining('left-pad would be installed with parkade'),
  ]);
});

it('an audit with findings names each, with its severity and advisory', () => {
  const via = ['deeper', { title: 'Prototype pollution', url: 'https://example.com/1' }];
  const bad = { name: 'bad', severity: 'high', range: '<2', via };
  expect(readAudit(JSON.stringify({ auditReportVersion: 2, vulnerabilities: { bad } }))).toEqual({
    kind: 'findings',
    findings: ['high: bad <2: by deeper; Prototype pollution https://example.com/1'],
  });
});

it('an audit without findings is clean', () => {
  expect(readAudit('{"auditReportVersion":2,"vulnerabilities":{}}')).toEqual({ kind: 'clean' });
});

it.each([
  ['', 'npm audit printed nothing'],
  ['npm error network\nmore', 'npm error network'],
  ['{"error":{"code":"ENOLOCK","summary":""}}', 'ENOLOCK'],
  [
    '{"message":"405 Method Not Allowed - POST https://registry.example/x"}',
    '405 Method Not Allowed - POST the registry',
  ],
  ['null', 'no report'],
])('what is no report is no clean one: %j', (output, why) => {
  expect(readAudit(output)).toEqual({ kind: 'unavailable', why });
});
