import { type Catalog, isWrite, type ResourceName } from '../catalog/catalog.ts';
import { RISK_TIERS, type Risk, riskOf } from '../catalog/risk.ts';
import { type ExplainedResource, explainResource, levelText } from '../grant/explain-name.ts';
import { resourcesWithWord } from '../profile/names/nearest-name.ts';
import { someOf } from '../some-of.ts';

/** How many names a sentence about a resource takes. */
const MOST_NAMES = 3;

/**
 * The resources that somebody who types may mean, the likeliest first: by its name, by a word in it, by a permission,
 * by a call. All, by name, for an empty text; those that no key can be given are left out.
 */
export function findResources(text: string, catalog: Catalog): readonly ResourceName[] {
  const wanted = text
    .trim()
    .toLowerCase()
    .replace(/[\s.]+/g, '_');
  const all = [...catalog.resources].filter((name) => canBeGranted(name, catalog)).sort();
  if (wanted === '') return all;
  const withWord = new Set(resourcesWithWord(wanted, catalog));
  const ranks = all.map((name) => [name, rankOf(name, wanted, withWord, catalog)] as const);
  return ranks
    .filter(([, rank]) => rank < RANKS)
    .sort(([, a], [, b]) => a - b)
    .map(([name]) => name);
}

const RANKS = 6;

function rankOf(name: ResourceName, wanted: string, withWord: ReadonlySet<string>, catalog: Catalog): number {
  if (name === wanted) return 0;
  if (name.startsWith(wanted)) return 1;
  if (withWord.has(name)) return 2;
  if (name.includes(wanted)) return 3;
  const operations = catalog.operationsIn(name);
  if (operations.some(({ permissions }) => permissions.some((permission) => permission.includes(wanted))))
    return 4;
  const called = (operation: string) => operation.replace(/[A-Z]/g, '_$&').replace(/\./g, '_').toLowerCase();
  return operations.some((operation) => called(operation.name).includes(wanted)) ? 5 : RANKS;
}

/** Whether some call of it has a permission that is known. */
function canBeGranted(name: ResourceName, catalog: Catalog): boolean {
  return catalog.operationsIn(name).some(({ permissions }) => permissions.length > 0);
}

/** The levels that a resource can be given. */
export function levelsOf(name: ResourceName, catalog: Catalog): readonly ('read' | 'write')[] {
  const known = catalog.operationsIn(name).filter(({ permissions }) => permissions.length > 0);
  return (['read', 'write'] as const).filter((level) =>
    known.some((operation) => isWrite(operation) === (level === 'write')),
  );
}

/** What a resource is, in a line or two: its calls, what each level comes to, and what is at stake. */
export function aboutResource(name: ResourceName, catalog: Catalog): string {
  const { operations, levels } = explainResource(name, catalog);
  const names = (all: readonly string[]) => someOf(all, MOST_NAMES);
  const calls = `${operations.length === 1 ? '1 call' : `${operations.length} calls`}: ${names(operations)}.`;
  const risk = worstRisk(levels);
  const stake = risk === undefined ? '' : ` At stake: ${risk.tier}. ${risk.why}`;
  return `${calls} ${levels.map((level) => `${levelText(level, names)}.`).join(' ')}${stake}`;
}

/** What a level of a resource comes to, in a line. */
export function aboutLevel(name: ResourceName, level: 'read' | 'write', catalog: Catalog): string {
  const found = explainResource(name, catalog).levels.find((one) => one.level === level);
  if (found === undefined) return '';
  const risk = worstRisk([found]);
  const text = levelText(found, (all) => someOf(all, MOST_NAMES)).replace(/^\w+: /, '');
  return `${text}${risk === undefined ? '' : `; at stake: ${risk.tier}`}`;
}

function worstRisk(levels: ExplainedResource['levels']): Risk | undefined {
  const risks = levels.flatMap(({ permissions }) => permissions.map(riskOf));
  return risks.sort((a, b) => RISK_TIERS.indexOf(a.tier) - RISK_TIERS.indexOf(b.tier))[0];
}
