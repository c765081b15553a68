import type { DeclaredField, DeclaredType, DeclaredTypes } from '../../src/core/catalog/declared-types.ts';
import type { Difference } from './compare.ts';

/** What a client of another language can send as a parameter. */
export interface Sent {
  /** The values that it has names for; none where any text goes. */
  readonly values: readonly string[];
  /** What lies within, by name; undefined where nothing does. */
  readonly fields: SentFields | undefined;
  /** Whether it is a list, of values or of fields. */
  readonly isList: boolean;
}

export type SentFields = ReadonlyMap<string, Sent>;

/** By call, `POST /v1/charges/{id}/capture`: what can be sent with it. */
export type SentCalls = ReadonlyMap<string, SentFields>;

/** What can be sent and is not declared. A type of its own, or that something may be left out, is not looked at. */
export function undeclared(
  sent: SentFields,
  declared: ReadonlyMap<string, DeclaredField>,
  types: DeclaredTypes,
): readonly Difference[] {
  const found: Difference[] = [];
  const visit = (fields: SentFields, known: ReadonlyMap<string, DeclaredField>, within: string) => {
    for (const [name, one] of fields) {
      if (within === '' && BESIDE.has(name)) continue;
      const path = within === '' ? name : `${within}[${name}]`;
      const field = known.get(name);
      if (field === undefined) found.push({ what: 'parameter', path, values: [] });
      else visitTyped(one, leaves(field.type), one.isList ? `${path}[]` : path);
    }
  };
  const visitTyped = ({ values, fields }: Sent, members: readonly DeclaredType[], path: string) => {
    const parts = members.filter((one) => one.kind === 'part');
    // A map takes every name.
    if (fields !== undefined && parts.length > 0) {
      visit(fields, new Map(parts.flatMap((part) => [...types.fieldsOf(part)])), path);
    }
    if (values.length === 0 || !members.every((one) => one.kind === 'enum' || one.kind === 'part')) return;
    const now = members.flatMap((one) => (one.kind === 'enum' ? one.values : []));
    const gone = now.length === 0 ? [] : values.filter((value) => !now.includes(value));
    if (gone.length > 0) found.push({ what: 'value', path, values: gone });
  };
  visit(sent, declared, '');
  return found;
}

/** Read beside what is declared. */
const BESIDE: ReadonlySet<string> = new Set(['expand']);

/** What stands at the end of arrays and unions. */
function leaves(type: DeclaredType): readonly DeclaredType[] {
  if (type.kind === 'union') return type.members.flatMap(leaves);
  return type.kind === 'array' ? leaves(type.of) : [type];
}
