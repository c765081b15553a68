import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Implication,
  type Permission,
  PROVENANCES,
  type Provenance,
} from '../../src/core/catalog/catalog.ts';
import { MONEY_COLUMNS, type MoneyRow, moneyRow } from './money.ts';

/** A hand-kept row of `endpoints.tsv`. */
export interface EndpointRow {
  readonly method: string;
  readonly path: string;
  readonly permissions: readonly string[];
  readonly provenance: Provenance;
  readonly source: string;
  readonly remark?: string;
}

export interface SourceTables {
  readonly endpoints: readonly EndpointRow[];
  readonly permissions: readonly Permission[];
  readonly implications: readonly Implication[];
  readonly money: readonly MoneyRow[];
}

/** Reads the four hand-kept tables. @throws with file and line on a row that is not well formed */
export function readSourceTables(dir: string): SourceTables {
  return {
    endpoints: readTable(
      dir,
      'endpoints.tsv',
      ['method', 'path', 'permissions', 'provenance', 'source', 'remark'],
      endpointRow,
    ),
    permissions: readTable(
      dir,
      'permissions.tsv',
      ['name', 'label', 'group', 'level', 'scope', 'managed_api', 'unconfirmed', 'source'],
      permissionRow,
    ),
    implications: readTable(dir, 'implications.tsv', ['from', 'to', 'source'], implicationRow),
    money: readTable(dir, 'money.tsv', MONEY_COLUMNS, moneyRow),
  };
}

function endpointRow(cells: readonly string[]): EndpointRow {
  const [method = '', path = '', names = '', provenance = '', source = '', remark = ''] = cells;
  const permissions = names === '-' ? [] : names.split(/[ ,]+/);
  if (!isProvenance(provenance))
    throw new Error(`provenance "${provenance}" is none of ${PROVENANCES.join(', ')}`);
  if ((provenance === 'unknown') !== (permissions.length === 0)) {
    throw new Error('"-" and the provenance "unknown" belong together');
  }
  if (/[.!?]$/.test(remark)) throw new Error('a remark ends without a full stop');
  return { method, path, permissions, provenance, source, ...(remark === '-' ? {} : { remark }) };
}

function permissionRow(cells: readonly string[]): Permission {
  const [name = '', label = '', group = '', level = '', scope = '', managedApi = ''] = cells;
  const [unconfirmed = '', source = ''] = cells.slice(6);
  if (level !== 'read' && level !== 'write') throw new Error(`level "${level}" is neither read nor write`);
  if (!name.endsWith(`_${level}`)) throw new Error(`"${name}" does not end with its level, ${level}`);
  if (managedApi !== 'yes' && managedApi !== 'no')
    throw new Error(`managed_api "${managedApi}" is neither yes nor no`);
  if (unconfirmed !== 'name' && unconfirmed !== 'scope' && unconfirmed !== '-')
    throw new Error(`unconfirmed "${unconfirmed}" is none of name, scope, -`);
  const known = { name, label, group, level, scope, managedApi: managedApi === 'yes', source } as const;
  return unconfirmed === '-' ? known : { ...known, unconfirmed };
}

function implicationRow(cells: readonly string[]): Implication {
  const [from = '', to = '', source = ''] = cells;
  return { from, to: to.split(/[ ,]+/), source };
}

function isProvenance(value: string): value is Provenance {
  return (PROVENANCES as readonly string[]).includes(value);
}

/** The rows of one tab-separated table, lines that begin with # apart. @throws with file and line on a bad row */
export function readTable<Row>(
  dir: string,
  file: string,
  columns: readonly string[],
  toRow: (cells: readonly string[]) => Row,
): Row[] {
  const rows: Row[] = [];
  let header: string | undefined;
  for (const [index, line] of readFileSync(join(dir, file), 'utf8').split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    if (header === undefined) {
      header = line;
      if (line !== columns.join('\t'))
        throw new Error(`${file}:${index + 1}: expected the header ${columns.join(', ')}`);
      continue;
    }
    const cells = line.split('\t');
    try {
      if (cells.length !== columns.length || cells.includes(''))
        throw new Error(`expected ${columns.length} cells`);
      rows.push(toRow(cells));
    } catch (cause) {
      throw new Error(`${file}:${index + 1}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  }
  return rows;
}
