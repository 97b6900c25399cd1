import { inject, TestRunner } from 'vitest';
import type { Certificate } from './certificate.ts';
import { type Ability, type KindName, kinds } from './kinds.ts';

/** Servers on which tests run. Plain data: it travels from the process that started them to those that test. */
export interface Ground {
  readonly kind: KindName;
  /** The servers that have keys, for one who may do everything: one, or those of a Cluster or a Sentinel group. */
  readonly adminUrls: readonly string[];
  /** The same, as clients under test reach them: by TLS, as another user, … */
  readonly clientUrls: readonly string[];
  /** Of a Sentinel group. */
  readonly sentinels?: { readonly name: string; readonly addresses: { host: string; port: number }[] };
  readonly certificate?: Certificate;
  /** Why there are no such servers here. */
  readonly whyNot?: string;
}

/** The servers that all test files share. Never flush them: they may be the user's own. */
export const ground = (): Ground => inject('ground');

/** Whether the tests run where this can be done. */
export const can = (ability: Ability): boolean => kinds[ground().kind].cannot?.[ability] === undefined;

/** Skips the test where it can't be, with the reason. */
export function needs(...abilities: Ability[]): void {
  const { kind } = ground();
  for (const ability of abilities) {
    const reason = kinds[kind].cannot?.[ability];
    if (reason !== undefined) TestRunner.getCurrentTest()?.context.skip(reason);
  }
}
