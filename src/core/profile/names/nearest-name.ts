import type { Catalog } from '../../catalog/catalog.ts';
import { endpointOf } from '../../catalog/catalog.ts';
import { nearest } from '../../document/nearest.ts';

/** At most so many names in a hint. */
const MOST_NAMES = 4;

/**
 * The operation that a name with a slip of the pen means, part by part, so that a name of something else that looks
 * alike is never proposed.
 */
export function nearestOperation(text: string, catalog: Catalog): string | undefined {
  const parts = text.split('.');
  const names = catalog.operations
    .map(({ name }) => name)
    .filter((name) => {
      const own = name.split('.');
      return own.length === parts.length && own.every((part, index) => isNear(part, parts[index] ?? ''));
    });
  return nearest(text, names);
}

/** The endpoint that one with a slip of the pen means: of the same length, each segment near. @param text with method */
export function nearestEndpoint(text: string, catalog: Catalog): string | undefined {
  const segments = text.split('/');
  const endpoints = catalog.operations.map(endpointOf).filter((endpoint) => {
    const own = endpoint.split('/');
    return (
      own.length === segments.length &&
      own.every((segment, index) =>
        index === 0 || segment === '{id}' ? true : isNear(segment, segments[index] ?? ''),
      )
    );
  });
  return nearest(text, endpoints);
}

function isNear(one: string, other: string): boolean {
  return one === other || nearest(other, [one]) !== undefined;
}

/** Resources that have a word, or a beginning of one, in their names: `shipping` finds `shipping_rates`. */
export function resourcesWithWord(word: string, catalog: Catalog): readonly string[] {
  const wanted = word.toLowerCase().replace(/s$/, '');
  if (wanted.length < 3) return [];
  return catalog.resources.filter((resource) =>
    resource.split(/[_/]/).some((_, at, parts) => parts.slice(at).join('_').startsWith(wanted)),
  );
}

/** What to write in the place of a resource that there is not; undefined where nothing is near. */
export function resourceAdvice(name: string, known: readonly string[], catalog: Catalog): string | undefined {
  const near = nearest(name, known);
  if (near !== undefined) return `Did you mean "${near}"?`;
  const withWord = resourcesWithWord(name, catalog);
  if (withWord.length === 0) return undefined;
  if (withWord.length === 1) return `Did you mean "${withWord[0]}"?`;
  const names = withWord.slice(0, MOST_NAMES).map((resource) => `"${resource}"`);
  const more = withWord.length > MOST_NAMES ? `; "keyaudit resources ${name}" lists all` : '';
  return `Did you mean one of ${names.join(', ')}${more}?`;
}
