import { afterAll, beforeAll, describe } from 'vitest';
import { bundles } from './bundles-suite.ts';
import { contents } from './contents-suite.ts';
import { type Packed, pack } from './packed.ts';
import { programs } from './programs-suite.ts';
import { install, type Project } from './project.ts';
import { types } from './types-suite.ts';

/** Compilers and bundlers are slow where much else goes on. */
const timeout = 120_000;

let packed: Packed;
let installed: Project;
beforeAll(async () => {
  packed = await pack();
  installed = await install(packed);
}, timeout);
afterAll(() => packed?.remove());

// One file, so that the package is built and packed once.
describe('what is packed', { timeout }, () => contents(() => installed));
describe('the package, installed into an empty project', { timeout }, () => programs(() => installed));
describe('for TypeScript, the package', { timeout }, () => types(() => installed));
describe('in a bundle, the package', { timeout }, () => bundles(() => installed));
