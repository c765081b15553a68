import { byText } from '../../src/core/by-text.ts';
import type { CatalogData, Parameter } from '../../src/core/catalog/catalog.ts';
import { encodeAnswered, encodeField } from '../../src/core/catalog/expansion.ts';
import type { MoneyClass, MoneyRule } from '../../src/core/catalog/money-rule.ts';
import { TYPE_CODES } from '../../src/core/catalog/type-codes.ts';
import type { Catalog } from './build.ts';

/**
 * `src/core/catalog/data/catalog.ts`: one row a line, the notes that many rows share once in front. Rows are calls and not object
 * literals, which makes the file a third smaller and half as slow to load.
 */
export function renderCatalog({ data }: Catalog): string {
  const notes = shared([
    ...[...data.operations, ...data.permissions, ...data.implications].map(({ source }) => source),
    ...data.operations.flatMap(({ remark }) => remark ?? []),
  ]);
  const note = (source: string) =>
    notes.includes(source) ? `notes[${notes.indexOf(source)}]` : quote(source);
  return [
    header(data),
    "import type { CatalogData, Implication, Operation, Permission } from '../catalog.ts';",
    '',
    'const notes = [',
    ...notes.map((text) => `  ${quote(text)},`),
    '] as const;',
    '',
    ...ROW_FUNCTIONS.map(rowFunction),
    'export const catalogData: CatalogData = {',
    `  source: ${quote(data.source)},`,
    `  apiVersion: ${quote(data.apiVersion)},`,
    ...ROW_FUNCTIONS.flatMap(({ name, list, columns, last }) => [
      `  ${list}: [`,
      ...data[list].map(
        (row) =>
          `    ${name}(${filled(columns, last, row)
            .map((column) => cell(column, row, note))
            .join(', ')}),`,
      ),
      '  ],',
    ]),
    '};',
    '',
  ].join('\n');
}

interface RowFunction {
  readonly name: string;
  readonly type: string;
  readonly list: 'permissions' | 'implications' | 'operations';
  readonly columns: readonly string[];
  /** A column that few rows fill. */
  readonly last?: string;
}

const ROW_FUNCTIONS: readonly RowFunction[] = [
  {
    name: 'permission',
    type: 'Permission',
    list: 'permissions',
    columns: ['name', 'label', 'group', 'level', 'scope', 'managedApi', 'source'],
    last: 'unconfirmed',
  },
  { name: 'implication', type: 'Implication', list: 'implications', columns: ['from', 'to', 'source'] },
  {
    name: 'operation',
    type: 'Operation',
    list: 'operations',
    columns: ['name', 'method', 'path', 'resource', 'kind', 'host', 'permissions', 'provenance', 'source'],
    last: 'remark',
  },
];

function filled(columns: readonly string[], last: string | undefined, row: object): readonly string[] {
  return last !== undefined && last in row ? [...columns, last] : columns;
}

function rowFunction({ name, type, columns, last }: Omit<RowFunction, 'list'>): string {
  const parameters = columns.map((column) => `  ${column}: ${type}['${column}'],\n`).join('');
  const rest = last === undefined ? '' : `  ${last}?: ${type}['${last}'],\n`;
  const names = last === undefined ? columns : [...columns, last];
  return `function ${name}(\n${parameters}${rest}): ${type} {\n  return { ${names.join(', ')} };\n}\n`;
}

/** `src/core/catalog/data/parameters.ts`: see `decodeParameters` for the encoding. */
export function renderParameters({ data, parameters }: Catalog): string {
  const lists = new Map<string, number>();
  const rows = data.operations.map(({ name }) => {
    const encoded = (parameters.get(name) ?? []).map((parameter) => encodeParameter(parameter, lists));
    return `  ${quote(name)}: ${quote(encoded.join(' '))},`;
  });
  return [
    header(data),
    '/** The lists of values that the enums below refer to by number. */',
    'export const enumValues: readonly (readonly string[])[] = [',
    ...[...lists.keys()].map((list) => `  ${list},`),
    '];',
    '',
    '/** Operation → its parameters, to be read with `parametersOf`. */',
    'export const encodedParameters: Readonly<Record<string, string>> = {',
    ...rows,
    '};',
    '',
  ].join('\n');
}

/** `src/core/catalog/data/money.ts`: one call a row, in the catalog's order; what moves no money comes as names only. */
export function renderMoney({ data, money }: Catalog): string {
  const byOperation = new Map(money.map((row) => [row.operation, row]));
  const rows = data.operations.flatMap(({ name }) => byOperation.get(name) ?? []);
  const quiet = (of: MoneyClass) => rows.filter((row) => row.moneyClass === of && isQuiet(row));
  return [
    header(data),
    "import type { MoneyRule } from '../money-rule.ts';",
    '',
    rowFunction({ name: 'rule', type: 'MoneyRule', columns: MONEY_RULE_COLUMNS }),
    "function quiet(of: 'none' | 'test', operations: string): MoneyRule[] {",
    "  const rest = ['none', [], [], [], 'none', '', [], false, 'inferred', ''] as const;",
    "  return operations.split(' ').map((operation) => rule(operation, of, ...rest));",
    '}',
    '',
    '/** What each write of the catalog moves. */',
    'export const moneyRules: readonly MoneyRule[] = [',
    ...rows
      .filter((row) => !isQuiet(row))
      .map((row) => `  rule(${MONEY_RULE_COLUMNS.map((column) => cell(column, row, quote)).join(', ')}),`),
    ...(['none', 'test'] as const).map(
      (of) =>
        `  ...quiet(${quote(of)}, ${quote(
          quiet(of)
            .map(({ operation }) => operation)
            .join(' '),
        )}),`,
    ),
    '];',
    '',
  ].join('\n');
}

const MONEY_RULE_COLUMNS: readonly (keyof MoneyRule)[] = [
  'operation',
  'moneyClass',
  'direction',
  'amount',
  'currency',
  'object',
  'mode',
  'whenUnset',
  'besides',
  'repeatIsSuspect',
  'provenance',
  'note',
];

function isQuiet(row: MoneyRule): boolean {
  const movesNone = row.moneyClass === 'none' || row.moneyClass === 'test';
  const plain = row.besides.length === 0 && row.note === '' && row.provenance === 'inferred';
  return movesNone && plain && !row.repeatIsSuspect && row.object.length === 0;
}

/** `src/core/catalog/data/expansions.ts`: see `encodeField` for the encoding. */
export function renderExpansions({ data, answers, expandable }: Catalog): string {
  const byKind = new Map<string, string[]>();
  for (const { name } of data.operations) {
    const answered = answers.get(name);
    if (answered === undefined) continue;
    const kind = encodeAnswered(answered);
    byKind.set(kind, [...(byKind.get(kind) ?? []), name]);
  }
  const fields = [...expandable].map(([object, of]) => {
    const encoded = [...of].map(([path, field]) => encodeField(path, field)).sort();
    return [object, encoded] as const;
  });
  return [
    header(data),
    '/** What operations answer → the operations. */',
    ...mapOf('encodedAnswers', [...byKind]),
    '',
    '/** Kind of object → its fields that `expand[]` may name. */',
    ...mapOf('encodedFields', fields),
    '',
  ].join('\n');
}

/** `src/core/catalog/data/types.ts`: see `DeclaredTypes` for the encoding. */
export function renderTypes({ data, shapes, types }: Catalog): string {
  const text = (name: string, lines: readonly string[]) => [
    `export const ${name} = \`${lines.join('\n')}\`;`,
    '',
  ];
  return [
    header(data),
    '/** By line number: the fields of a part or an object. */',
    ...text('encodedShapes', shapes.shapes),
    '/** By line number: the values of an enum. */',
    ...text('encodedValues', shapes.values),
    '/** Kind of object and the number of its shape. */',
    ...text(
      'encodedKinds',
      [...shapes.kinds].map(([kind, number]) => `${kind} ${number}`),
    ),
    '/** Operation, the type of its parameters, the type of its answer. */',
    ...text(
      'encodedTypes',
      data.operations.map(({ name }) => {
        const { parameters, answer } = types.get(name) ?? { parameters: '', answer: '' };
        return `${name} ${parameters} ${answer}`;
      }),
    ),
  ].join('\n');
}

function mapOf(name: string, rows: readonly (readonly [string, readonly string[]])[]): string[] {
  const filled = rows.filter(([, texts]) => texts.length > 0).sort(([a], [b]) => byText(a, b));
  return [
    `export const ${name}: ReadonlyMap<string, string> = new Map([`,
    ...filled.map(([key, texts]) => `  [${quote(key)}, ${quote(texts.join(' '))}],`),
    ']);',
  ];
}

function header({ source }: CatalogData): string {
  const from = source.replace('stripe-node', 'stripe');
  return `// Generated by scripts/catalog.ts from ${from} and src/core/catalog/data/source/*.tsv. Do not edit; run "npm run catalog".`;
}

function encodeParameter({ name, required, type, values }: Parameter, lists: Map<string, number>): string {
  if (!/^\w+$/.test(name)) throw new Error(`the parameter name ${name} does not fit the encoding`);
  return `${name}${required ? '!' : ''}:${TYPE_CODES[type]}${values ? listNumber(values, lists) : ''}`;
}

function listNumber(values: readonly string[], lists: Map<string, number>): number {
  const key = JSON.stringify(values);
  const number = lists.get(key) ?? lists.size;
  lists.set(key, number);
  return number;
}

/** The texts that occur more than once, in order of first use. */
function shared(texts: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].filter(([, count]) => count > 1).map(([text]) => text);
}

function cell(column: string, row: object, note: (source: string) => string): string {
  const value = (row as Readonly<Record<string, unknown>>)[column];
  if (column === 'source' || column === 'remark') return note(String(value));
  return Array.isArray(value) ? `[${value.map(quote).join(', ')}]` : quote(value);
}

/** Single quotes where that is the same text, as in the rest of the code. */
function quote(value: unknown): string {
  const json = JSON.stringify(value);
  return typeof value === 'string' && !/['"\\]/.test(json.slice(1, -1)) ? `'${json.slice(1, -1)}'` : json;
}
