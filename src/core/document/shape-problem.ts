import type { z } from 'zod';
import type { Problem } from '../error.ts';
import { didYouMean } from './nearest.ts';
import type { YamlSource } from './yaml-source.ts';

/**
 * A zod issue about a YAML file as a problem with its line. `keysAt` gives the keys that are valid at a
 * path, for "did you mean".
 */
export function shapeProblems(
  issue: z.core.$ZodIssue,
  source: YamlSource,
  keysAt: (path: readonly PropertyKey[]) => readonly string[] = () => [],
): Problem[] {
  const where = describePath(issue.path);
  const location = source.valueAt(issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const keys = keysAt(issue.path);
        const hint =
          didYouMean(key, keys) ?? (keys.length > 0 ? `Valid keys: ${keys.join(', ')}.` : undefined);
        return {
          message: `Unknown key "${key}"${where === '' ? '' : ` in ${where}`}.`,
          location: source.keyAt([...issue.path, key]),
          hint,
        };
      });
    case 'invalid_value': {
      const given = valueAt(source.value, issue.path);
      if (given === undefined) return [{ message: `"${where}" is missing.`, location }];
      const values = issue.values.map(String);
      const near = typeof given === 'string' ? didYouMean(given, values) : undefined;
      return [
        {
          message: `${JSON.stringify(given)} is not ${where === '' ? 'valid' : `valid for ${where}`}.`,
          location,
          hint: `${near === undefined ? '' : `${near} `}Valid: ${values.join(', ')}.`,
        },
      ];
    }
    case 'invalid_type':
      return valueAt(source.value, issue.path) === undefined && where !== ''
        ? [{ message: `"${where}" is missing.`, location }]
        : [{ message: `${where === '' ? 'The file' : where} must be ${article(issue.expected)}.`, location }];
    default:
      return [
        {
          message: `${where === '' ? 'The file' : where} is not valid: ${lowerFirst(issue.message).replace(/\.?$/, '.')}`,
          location,
        },
      ];
  }
}

/** Problems in the order of the file. */
export function byPosition(a: Problem, b: Problem): number {
  return (
    (a.location?.line ?? 0) - (b.location?.line ?? 0) || (a.location?.column ?? 0) - (b.location?.column ?? 0)
  );
}

/**
 * A zod issue about a value that no person wrote, and which has no lines, as `results.0.profile: expected a string`.
 * @param whole what to call the value itself: `the report`
 */
export function shapeSentence(issue: z.core.$ZodIssue | undefined, whole: string): string {
  if (issue === undefined) return `${whole}: not valid`;
  return `${issue.path.map(String).join('.') || whole}: ${issue.message}`;
}

/** `deny.operations[0]`. */
export function describePath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : text === '' ? String(step) : `${text}.${String(step)}`,
    '',
  );
}

/** What stands at a path of a document; undefined where nothing does. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (current, step) =>
      typeof current === 'object' && current !== null
        ? (current as Record<PropertyKey, unknown>)[step]
        : undefined,
    value,
  );
}

/** `a map`, `a list`: a kind of value in the words of a file. */
export function article(kind: string): string {
  const names: Record<string, string> = {
    object: 'a map',
    record: 'a map',
    array: 'a list',
    string: 'a text',
  };
  return names[kind] ?? `a ${kind}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
