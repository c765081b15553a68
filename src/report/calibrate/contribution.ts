import type { CalibrationRow } from '../../core/calibrate/calibration.ts';
import { SOURCE_ROW_COLUMNS, type SourceRow, sourceRowText } from '../../core/calibrate/source-rows.ts';
import type { TextOutput } from '../text.ts';

interface Head {
  readonly target: string;
  readonly apiVersion: string;
  readonly catalog: string;
}

/** `calibrate --print`: rows as `endpoints.tsv` has them; `npm run catalog -- --merge FILE` takes them. */
export function renderSourceRows(
  {
    target,
    apiVersion,
    catalog,
    rows,
    contradictions,
  }: Head & { readonly rows: readonly SourceRow[]; readonly contradictions: readonly string[] },
  output: TextOutput,
): void {
  writeHead({ target, apiVersion, catalog }, output);
  for (const text of contradictions) output.write(`# contradiction: ${text}\n`);
  output.write(`${SOURCE_ROW_COLUMNS.join('\t')}\n`);
  for (const row of rows) output.write(`${sourceRowText(row)}\n`);
}

function writeHead({ target, apiVersion, catalog }: Head, output: TextOutput): void {
  output.write(`# keyaudit calibrate: target ${target}, API version ${apiVersion}, catalog ${catalog}.\n`);
  output.write('# Statuses and names of permissions only; nothing here tells of an account.\n');
}

/** `calibrate --print answers`: tab-separated rows that hold nothing of the account. */
export function renderContribution(
  { target, apiVersion, catalog, rows }: Head & { readonly rows: readonly CalibrationRow[] },
  output: TextOutput,
): void {
  writeHead({ target, apiVersion, catalog }, output);
  const head = ['endpoint', 'operation', 'catalog', 'named', 'bare', 'unrestricted', 'probe', 'row'];
  output.write(`${head.join('\t')}\n`);
  for (const { endpoint, operation, permissions, entry, quality, wrongRow } of rows) {
    const named = entry.bare?.named ?? [];
    const cells = [
      endpoint,
      operation,
      permissions.join(' ') || '-',
      named.join(' ') || '-',
      String(entry.bare?.status ?? '-'),
      String(entry.full?.status ?? '-'),
      quality,
      wrongRow ? 'differs' : named.length > 0 ? 'confirmed' : '-',
    ];
    output.write(`${cells.join('\t')}\n`);
  }
}
