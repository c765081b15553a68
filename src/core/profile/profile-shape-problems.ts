import type { z } from 'zod';
import { isRecord } from '../document/is-record.ts';
import { didYouMean } from '../document/nearest.ts';
import { article, describePath, shapeProblems, valueAt } from '../document/shape-problem.ts';
import type { YamlSource } from '../document/yaml-source.ts';
import type { Problem } from '../error.ts';
import { levelSchema, profileSchema } from './profile.ts';
import { variableFault } from './variable-name.ts';

/** Turns zod's issues into sentences in the profile's own words. */
export function profileShapeProblems(issue: z.core.$ZodIssue, source: YamlSource): Problem[] {
  const where = describePath(issue.path);
  const given = valueAt(source.value, issue.path);
  const fault = where === 'env' && typeof given === 'string' ? variableFault(given) : undefined;
  if (fault !== undefined) {
    return [{ message: `env ${fault.message}`, location: source.valueAt(issue.path), hint: fault.hint }];
  }
  switch (issue.code) {
    case 'invalid_union':
      return unionProblems(issue, source);
    case 'unrecognized_keys':
      return shapeProblems(issue, source, keysAt);
    case 'invalid_value':
      return given === undefined ? [missing(issue.path, source)] : shapeProblems(issue, source);
    case 'invalid_type': {
      if (issue.path.length > 0 && given === undefined) {
        return [missing(issue.path, source)];
      }
      const what = where === '' ? 'A profile' : where;
      return [
        {
          message: `${what} must be ${article(issue.expected)}, not ${kindOf(given)}.`,
          location: source.valueAt(issue.path),
          hint:
            where === ''
              ? 'Begin with "name:" and "permissions:".'
              : `See "keyaudit profiles show refund-agent" for an example.`,
        },
      ];
    }
    default:
      return [
        {
          message: `${where === '' ? 'The profile' : where} is not valid: ${issue.message.replace(/^Invalid string: /, '')}.`,
          location: source.valueAt(issue.path),
          hint: formatHint(issue.path),
        },
      ];
  }
}

/** A permission entry is a level or a map; only the branch that the user evidently meant is reported. */
function unionProblems(issue: z.core.$ZodIssueInvalidUnion, source: YamlSource): Problem[] {
  const given = valueAt(source.value, issue.path);
  const where = describePath(issue.path);
  if (isRecord(given) || Array.isArray(given)) {
    const branch = issue.errors.find((errors) =>
      errors.every((error) => error.path.length > 0 || error.code === 'unrecognized_keys'),
    );
    const inner = branch?.map(
      (error) => ({ ...error, path: [...issue.path, ...error.path] }) as z.core.$ZodIssue,
    );
    if (inner !== undefined && inner.length > 0)
      return inner.flatMap((error) => profileShapeProblems(error, source));
  }
  if (issue.path[0] === 'permissions' || issue.path[0] === 'connect_permissions') {
    const near = typeof given === 'string' ? didYouMean(given, levelSchema.options) : undefined;
    return [
      {
        message: `${JSON.stringify(given)} is not a level (${where}).`,
        location: source.valueAt(issue.path),
        hint: `${near === undefined ? '' : `${near} `}Levels are none, read and write.`,
      },
    ];
  }
  return [
    {
      message: `${where} must be a name or a list of names.`,
      location: source.valueAt(issue.path),
      hint: 'Write "extends: other-profile" or a list.',
    },
  ];
}

function missing(path: readonly PropertyKey[], source: YamlSource): Problem {
  const parent = path.slice(0, -1);
  const key = String(path.at(-1));
  return {
    message: `"${key}" is missing${parent.length === 0 ? '' : ` in ${describePath(parent)}`}.`,
    location: source.valueAt(parent),
    hint: missingHints[key] ?? `Add "${key}:".`,
  };
}

const missingHints: Record<string, string> = {
  name: 'Add "name:", the name of the archetype, such as "name: refund-agent".',
  reason: 'Say why this widening is acceptable: "reason: …".',
  level: 'Add "level: none", "read" or "write".',
};

function formatHint(path: readonly PropertyKey[]): string {
  switch (path.at(-1)) {
    case 'until':
      return 'Write a date as YYYY-MM-DD.';
    case 'rate':
      return 'A number of probes a second, above 0 and at most 100.';
    case 'name':
      return 'Use letters, digits, ".", "_" and "-".';
    default:
      return 'It must not be empty.';
  }
}

function keysAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(profileSchema.shape);
  if (path[0] === 'checks') return ['allow', 'forbid'];
  if (path[0] === 'accept') return ['operations', 'reason', 'until'];
  return ['level', 'why'];
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : article(typeof value);
}
