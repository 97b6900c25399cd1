import { readdirSync, readFileSync } from 'node:fs';

const folderOf = (name: string) => new URL(`../../node_modules/${name}/`, import.meta.url);

/**
 * The licences of packages whose code is bundled, as they have to be passed on.
 *
 * @throws for one that has no licence file
 */
export function noticesOf(names: readonly string[]): string {
  const notices = [...names].sort().map((name) => {
    const folder = folderOf(name);
    const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.(md|txt))?$/i.test(entry));
    if (file === undefined) {
      throw new Error(`${name} is bundled, and has no licence file that could be passed on`);
    }
    const { version, license } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
    const text = readFileSync(new URL(file, folder), 'utf8').trim();
    return `## ${name} ${version} (${license})\n\n${text}\n`;
  });
  return `# Parts of other packages are bundled with parkade. These are their licences.\n\n${notices.join('\n')}`;
}
