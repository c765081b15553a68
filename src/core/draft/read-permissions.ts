import type { Catalog } from '../catalog/catalog.ts';
import { KeyauditError, type Problem } from '../error.ts';
import type { DraftPermission } from './profile-text.ts';
import { resolveDraft } from './resolve-draft.ts';
import { aboutResource, findResources } from './resource-choice.ts';
import { parseStarterPermission } from './starter-profile.ts';

/** An answer explains so many of the resources that it could mean. */
const MOST_EXPLAINED = 5;

/**
 * What somebody wrote of what an agent needs: `charges=read: Look up, refunds=write`. A part that is no resource with a
 * level is part of the reason before it.
 * @throws KeyauditError `USAGE`
 */
export function readPermissions(text: string): readonly DraftPermission[] {
  return partsOf(text).map(parseStarterPermission);
}

function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  for (const part of text.split(',').map((one) => one.trim())) {
    const before = parts.at(-1);
    if (before !== undefined && /[=:].*:/.test(before) && !/^\S+\s*[=:]/.test(part)) {
      parts[parts.length - 1] = `${before}, ${part}`;
    } else if (part !== '') parts.push(part);
  }
  return parts;
}

/**
 * Why an answer says nothing that a profile could: words without a level are looked up and explained. Undefined where
 * it can be taken. A line each.
 * @param today YYYY-MM-DD
 */
export function wrongWithAnswer(text: string, catalog: Catalog, today: string): string | undefined {
  const words = partsOf(text).filter((part) => !/[=:]/.test(part));
  if (words.length > 0) {
    return [
      ...words.flatMap((word) => lookedUp(word, catalog)),
      'Write each as RESOURCE=read or RESOURCE=write, a comma between them.',
    ].join('\n');
  }
  try {
    return wrongWithPermissions(readPermissions(text), catalog, today);
  } catch (error) {
    return inWords(error);
  }
}

/** Why no profile can be made of these; undefined where one can. */
export function wrongWithPermissions(
  permissions: readonly DraftPermission[],
  catalog: Catalog,
  today: string,
): string | undefined {
  if (permissions.length === 0)
    return 'Name at least one, such as charges=read: a key without any can do nothing.';
  const twice = permissions.find(
    ({ name }, index) => permissions.findIndex((one) => one.name === name) < index,
  );
  if (twice !== undefined) return `${twice.name} is there twice. Say it once, with the level that is needed.`;
  try {
    resolveDraft({ name: 'draft', permissions }, catalog, today);
    return undefined;
  } catch (error) {
    return inWords(error);
  }
}

function lookedUp(word: string, catalog: Catalog): readonly string[] {
  const found = findResources(word, catalog);
  if (found.length === 0) return [`No resource, permission or call has "${word}" in its name.`];
  const more =
    found.length > MOST_EXPLAINED ? [`… and ${found.length - MOST_EXPLAINED} more with "${word}".`] : [];
  return [
    ...found.slice(0, MOST_EXPLAINED).map((name) => `${name}: ${aboutResource(name, catalog)}`),
    ...more,
  ];
}

function inWords(error: unknown): string {
  if (!(error instanceof KeyauditError)) throw error;
  const said = ({ message, hint }: Pick<Problem, 'message' | 'hint'>) =>
    hint === undefined ? message : `${message} ${hint}`;
  return error.problems.length === 0 ? said(error) : error.problems.map(said).join('\n');
}
