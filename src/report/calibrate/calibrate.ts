import {
  type CalibrateReport,
  disagreements,
  exitCodeOfCalibration,
  rowsOf,
} from '../../core/calibrate/calibrate-report.ts';
import {
  type CalibrationAnswer,
  type CalibrationRow,
  PROBE_QUALITIES,
  type ProbeQuality,
} from '../../core/calibrate/calibration.ts';
import { EXIT } from '../../core/error.ts';
import { counted, paintFor, type TextOutput, wrap } from '../text.ts';
import { learnedJson, renderLearned } from './learned.ts';

/** `calibrate --format json`, schema `keyaudit.calibrate/1`. */
export function calibrateJson(report: CalibrateReport): unknown {
  const { rows, resolver, learned, confirmations, ...facts } = report;
  const { operations } = report;
  const counts = PROBE_QUALITIES.map((quality) => [quality, rowsOf(report, quality).length] as const);
  return {
    schema: 'keyaudit.calibrate/1',
    ok: exitCodeOfCalibration(report) === EXIT.ok,
    ...facts,
    summary: { operations, asked: rows.length, ...Object.fromEntries(counts) },
    blind: rowsOf(report, 'blind'),
    unsafe: rowsOf(report, 'unsafe'),
    wrongRows: rows.filter((row) => row.wrongRow),
    undetermined: rowsOf(report, 'undetermined'),
    ...learnedJson({ learned, confirmations }),
    ...(resolver === undefined
      ? {}
      : {
          resolver: {
            asked: resolver.checks.length,
            requests: resolver.requests,
            agreed: resolver.checks.filter(({ agrees }) => agrees).length,
            disagreements: disagreements(report),
            unresolved: resolver.checks.filter(({ agrees, resolver: named }) => !agrees && named === null),
            written: resolver.written,
            unavailable: resolver.unavailable,
          },
        }),
  };
}

/** At most so many rows of one kind are spelled out; `--verbose` and JSON have them all. */
const MOST_ROWS = 20;
/** What a key that holds nothing useful may do at most. */
const MOST_HELD = 10;

const meaning: Readonly<Record<ProbeQuality, string>> = {
  telling: 'refused without permission, accepted with it: strong evidence from now on',
  blind: 'every key gets the same answer, so a 400 or 404 proves nothing',
  unsafe: 'a write was answered 2xx: the probe was not harmless',
  held: 'the key without permissions may do this, so it shows nothing',
  undetermined: 'an answer says nothing of permissions',
  unfinished: 'one of the keys is still to be asked',
};

/** `calibrate --format table`. */
export function renderCalibrateTable(
  report: CalibrateReport,
  output: TextOutput,
  { verbose }: { verbose: boolean },
): void {
  const paint = paintFor(output);
  const about = `${report.targetNote} Catalog ${report.catalog}, API version ${report.apiVersion}.`;
  output.write(paint.dim(wrap(about, output)));
  if (report.rows.length > 0 && !report.bareOnly) {
    output.write(`\n${paint.bold('Probes')}\n`);
    for (const quality of Object.keys(meaning) as ProbeQuality[]) {
      const rows = rowsOf(report, quality);
      if (rows.length === 0) continue;
      const text = `${rows.length} ${quality}: ${meaning[quality]}`;
      output.write(wrap(text, output, { indent: '    ', first: '  ' }));
      if (quality === 'telling' || quality === 'unfinished') continue;
      renderRows(rows, describeAnswers, output, verbose);
    }
    if (rowsOf(report, 'held').length > MOST_HELD) {
      const text = 'The key without permissions may do too much: one that holds less would show more.';
      output.write(paint.yellow(wrap(text, output, { indent: '    ', first: '  note: ' })));
    }
    const wrong = report.rows.filter((row) => row.wrongRow);
    output.write(`\n${paint.bold('Rows whose refusal names another permission')}\n`);
    if (wrong.length === 0) output.write('  none\n');
    renderRows(
      wrong,
      ({ permissions, entry }) =>
        `the refusal names ${entry.bare?.named.join(' or ')}, the catalog has ${permissions.join(' or ') || 'none'}`,
      output,
      verbose,
    );
  }
  renderLearned(report, output, { most: verbose ? undefined : MOST_ROWS });
  renderResolver(report, output, verbose);
  output.write('\n');
  if (report.stopped !== undefined) {
    output.write(paint.yellow(wrap(`Stopped: ${report.stopped.message}`, output, { indent: '  ' })));
    if (report.stopped.hint !== undefined) {
      output.write(wrap(`→ ${report.stopped.hint}`, output, { indent: '    ', first: '  ' }));
    }
  }
  const partial = report.stopped === undefined ? '' : ' (partial)';
  const asked = `${report.rows.length} of ${counted(report.operations, 'operation')} asked`;
  if (report.rows.length === 0 && report.requests === 0) return;
  output.write(wrap(`${asked}, ${counted(report.requests, 'request')} in this run${partial}`, output));
  if (report.rows.length > 0) output.write(`Kept in ${report.file}\n`);
}

function renderResolver(report: CalibrateReport, output: TextOutput, verbose: boolean): void {
  const { resolver } = report;
  if (resolver === undefined) return;
  const paint = paintFor(output);
  output.write(`\n${paint.bold("The catalog beside Stripe's own resolver")}\n`);
  if (resolver.unavailable !== undefined) {
    output.write(wrap(resolver.unavailable, output, { indent: '  ' }));
    return;
  }
  const wrong = disagreements(report);
  const unknown = resolver.checks.filter(({ agrees, resolver: named }) => !agrees && named === null);
  const agreed = resolver.checks.filter(({ agrees }) => agrees).length;
  const counts = `${agreed} agree, ${wrong.length} disagree, ${unknown.length} unknown to the resolver, ${counted(resolver.requests, 'request')}`;
  output.write(`  ${counts}\n`);
  // Each disagreement is a row to correct, so none is left out.
  for (const { operation, endpoint, catalog, resolver: named } of wrong) {
    const text = `${endpoint} (${operation}): the resolver says ${named?.join(' and ') || 'none'}, the catalog ${catalog.join(' or ') || 'none'}`;
    output.write(wrap(text, output, { indent: '      ', first: '    ' }));
  }
  for (const { operation, endpoint, reason } of verbose ? unknown : unknown.slice(0, MOST_ROWS)) {
    const text = `${endpoint} (${operation}): ${reason || 'not known to the resolver'}`;
    output.write(wrap(text, output, { indent: '      ', first: '    ' }));
  }
  if (!verbose && unknown.length > MOST_ROWS) {
    output.write(`    and ${unknown.length - MOST_ROWS} more; --verbose shows them\n`);
  }
  if (resolver.written !== undefined) {
    output.write(`  ${counted(resolver.written.rows, 'calibrated row')} kept in ${resolver.written.file}\n`);
  }
}

function renderRows(
  rows: readonly CalibrationRow[],
  describe: (row: CalibrationRow) => string,
  output: TextOutput,
  verbose: boolean,
): void {
  for (const row of verbose ? rows : rows.slice(0, MOST_ROWS)) {
    const text = `${row.operation} (${row.endpoint}): ${describe(row)}`;
    output.write(wrap(text, output, { indent: '      ', first: '    ' }));
  }
  if (!verbose && rows.length > MOST_ROWS) {
    output.write(`    and ${rows.length - MOST_ROWS} more; --verbose shows them\n`);
  }
}

function describeAnswers({ entry }: CalibrationRow): string {
  return `${describeAnswer(entry.bare)} without permission, ${describeAnswer(entry.full)} unrestricted`;
}

function describeAnswer(answer: CalibrationAnswer | undefined): string {
  if (answer === undefined) return 'not asked';
  const status = answer.status === null ? 'no answer' : `HTTP ${answer.status}`;
  return answer.reason === undefined ? status : `${status} (${answer.reason})`;
}
