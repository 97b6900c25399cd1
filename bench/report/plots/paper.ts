import type { ContenderName } from '../../contenders/names.ts';

/** Colours in a light surrounding, and what becomes of them in a dark one. */
export const ink = '#1f2328';
export const faint = '#656d76';
export const rule = '#d8dee4';
export const paper = '#fffffe';

const inTheDark: Readonly<Record<string, string>> = {
  [ink]: '#e6edf3',
  [faint]: '#9198a1',
  [rule]: '#343b44',
  [paper]: '#0d1117',
};

/** Of middle lightness, so that they stand out from either paper. */
export const colours: Record<ContenderName, string> = {
  parkade: '#1f7ae0',
  'parkade + OTel': '#6aa5e8',
  'parkade, mute': '#3f86d6',
  'redis-semaphore': '#e0662b',
  bottleneck: '#a06bd6',
  redlock: '#c94f7c',
  'async-sema': '#2e9e6b',
  'SET NX + DEL': '#8b949e',
  EVALSHA: '#8b949e',
  PUBLISH: '#8b949e',
  'PUBLISH, one connection': '#8b949e',
};

/**
 * An SVG that has a name and follows the reader's colour scheme: rules of a style sheet go before the attributes of its
 * elements. What the library adds for a pointer that hovers is taken out, since a picture has none.
 */
export function asPicture(svg: string, title: string): string {
  const rules = Object.entries(inTheDark).map(
    ([light, dark]) => `[fill="${light}"]{fill:${dark}}[stroke="${light}"]{stroke:${dark}}`,
  );
  const style = `<style>@media (prefers-color-scheme: dark){${rules.join('')}}</style>`;
  return svg
    .replaceAll(/<style ?><!\[CDATA\[[\s\S]*?\]\]>\s*<\/style>\s*/g, '')
    .replace(/(<svg[^>]*)>/, `$1 role="img" aria-label="${title}"><title>${title}</title>${style}`);
}
