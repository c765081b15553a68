// The notices that the licences of bundled packages ask for: one section a package, with its licence's own words.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the package that a module is of; undefined for our own. */
function packageOf(module) {
  if (!module.includes('/node_modules/')) return undefined;
  let folder = dirname(module);
  for (;;) {
    const file = join(folder, 'package.json');
    // Folders within a package have files of that name too, which say how they are loaded.
    if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version !== undefined) return folder;
    const above = dirname(folder);
    if (above === folder) throw new Error(`no package holds ${module}`);
    folder = above;
  }
}

function sectionOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^(?:licen[cs]e|copying)(?:\.(?:md|txt))?$/i.test(entry));
  if (file === undefined || license === undefined) throw new Error(`${name} is bundled and has no licence`);
  const text = readFileSync(join(folder, file), 'utf8').trim();
  return {
    name,
    section: `## ${name} ${version} (${license})\n\n${text.replace(/^/gm, '    ').replace(/ +$/gm, '')}\n`,
  };
}

/** @param modules the paths of all that was bundled */
export function thirdPartyNotices(modules) {
  const folders = new Set(modules.map(packageOf).filter((folder) => folder !== undefined));
  const sections = [...folders].map(sectionOf).sort((one, other) => (one.name < other.name ? -1 : 1));
  return `# Third-party notices\n\nThe files in this folder hold code of these packages.\n\n${sections.map(({ section }) => section).join('\n')}`;
}
