import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break the dashboard. */
export const dashboardMutants: readonly Mutant[] = [
  ...mutantsOf('src/cli/dashboard/gate.ts', 'cli/dashboard-server > who may look', [
    {
      name: 'it answers to any name',
      breaks: "a page of another site is never of the dashboard's origin",
      from: 'if (host === undefined || !this.#isOurs(host)) {',
      to: 'if (host === undefined) {',
    },
    {
      name: "it answers other sites' pages",
      breaks: 'only its own page looks',
      from: "if (site !== 'same-origin' && site !== 'none' && !isOpened) {",
      to: 'if (!site && !isOpened) {',
    },
    {
      name: 'any cookie will do',
      breaks: 'who has no token sees nothing',
      from: "isSame(getCookie(c, cookieName(c)) ?? '', digest(token).toString('hex'))",
      to: 'getCookie(c, cookieName(c)) !== undefined',
    },
    {
      name: 'scripts can read the cookie',
      breaks: 'who has no token sees nothing',
      from: '      httpOnly: true,\n',
      to: '',
    },
  ]),
  ...mutantsOf('src/cli/dashboard/gate.ts', 'cli/dashboard-server > changes by', [
    {
      name: 'changes come from anywhere',
      breaks: 'only its own page changes something',
      from: 'if (isForeign || c.req.header(changeHeader) === undefined) {',
      to: 'if (isForeign) {',
    },
    {
      name: 'changes come from any origin',
      breaks: 'only its own page changes something',
      from: 'if (isForeign || c.req.header(changeHeader) === undefined) {',
      to: 'if (c.req.header(changeHeader) === undefined) {',
    },
  ]),
  ...mutantsOf('src/cli/dashboard/app.ts', 'cli/dashboard-server > changes by', [
    {
      name: 'changes are always allowed',
      breaks: 'changes need --allow-changes',
      from: '      about.mayChange\n',
      to: '      !about.mayChange || about.mayChange\n',
    },
  ]),
  ...mutantsOf('src/cli/dashboard/changes.ts', 'cli/dashboard-server > changes by', [
    {
      name: 'a limit that another has set is overwritten unseen',
      breaks: 'whoever resizes knows what from',
      from: 'if (now.limit !== limitBefore) {',
      to: 'if (false as boolean) {',
    },
  ]),
  ...mutantsOf('src/cli/dashboard/poller.ts', 'cli/dashboard-server > looks once for all', [
    {
      name: 'each browser has its own look at details',
      breaks: 'one poller for all',
      from: '    this.#details.set(key, detail);\n',
      to: '',
    },
  ]),
  ...mutantsOf('src/cli/dashboard/page/dom.ts', 'cli/dashboard-page > for text', [
    {
      name: 'names are taken for markup',
      breaks: 'names and labels are text',
      from: 'element.textContent = text;',
      to: 'element.innerHTML = text;',
    },
  ]),
];
