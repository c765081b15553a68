import type { Widening } from '../../../core/grant/grant.ts';
import { UNANSWERED_REASONS, type UnansweredReason } from '../../../core/probe/unanswered.ts';
import type { Comparison } from '../../../core/result/compare-results.ts';
import { resultIsOk, type VerifyReport, type VerifyResult } from '../../../core/result/verify-report.ts';
import { someOf } from '../../../core/some-of.ts';
import { unseenSentences } from '../../../core/verdict/unseen.ts';
import { counted, inWords, paintFor, plain, type TextOutput, wrap } from '../../text.ts';
import { DEPTH_WORDS, EVIDENCE_WORDS, evidenceLegend } from '../words/evidence-words.ts';
import { othersKey } from '../words/finding-words.ts';
import { lastUseName, lastUseText, lastUseUnseen, lastUseWitness } from '../words/last-use-text.ts';
import { keyFacts, reportFacts } from '../words/provenance-facts.ts';
import { totalLine, verdictLine } from '../words/verdict-line.ts';
import { renderFindings, renderFix } from './table-findings.ts';
import { renderMatrix } from './table-matrix.ts';

/** `verify --format table`: what a person reads at a desk or in a log. */
export function renderVerifyTable(
  report: VerifyReport,
  output: TextOutput,
  { verbose }: { verbose: boolean },
): void {
  const paint = paintFor(output);
  output.write(paint.dim(wrap(aboutRun(report), output)));
  const legend = evidenceLegend(report);
  if (legend !== undefined) output.write(paint.dim(wrap(legend, output)));
  for (const result of report.results) {
    output.write('\n');
    renderResult(result, output, { verbose, isAlone: report.results.length === 1 });
  }
  for (const comparison of report.comparisons ?? []) renderComparison(comparison, output);
  if (report.results.length > 1) {
    output.write('\n');
    renderMatrix(report, output, { verbose });
    output.write('\n');
    for (const result of report.results) {
      const mark = resultIsOk(result) ? paint.green('yes') : paint.red('no ');
      output.write(`${mark} ${plain(result.profile)}: ${verdictLine(result)}\n`);
    }
    output.write(`${totalLine(report, inWords)}\n`);
  }
}

/** What was asked, by what and when; which files had a say only where there are such. */
function aboutRun(report: VerifyReport): string {
  const facts = new Map(reportFacts(report));
  const some = (name: string) => (facts.has(name) ? [`${name} ${facts.get(name)}`] : []);
  const run = `keyaudit ${facts.get('keyaudit')}, ${facts.get('began')}, took ${facts.get('took')}.`;
  const asked = `Catalog ${facts.get('catalog')}, API version ${facts.get('API version')}, depth ${facts.get('depth')} (${DEPTH_WORDS[report.depth]}).`;
  const sources = ['policy', 'lock file', 'commit', 'CI run'].flatMap(some);
  return [report.targetNote, asked, run, ...(sources.length === 0 ? [] : [`${sources.join(', ')}.`])].join(
    ' ',
  );
}

/** The test key beside the live key of one profile. */
function renderComparison(
  { profile, compared, differences, undetermined }: Comparison,
  output: TextOutput,
): void {
  const paint = paintFor(output);
  output.write(`\n${paint.bold(`${plain(profile)}: test key and live key side by side`)}\n`);
  for (const { operation, method, path, permission, test, live } of differences) {
    const may = test === 'allowed' ? 'only the test key can' : 'only the live key can';
    const text = `DIFFERS ${operation} (${method} ${path}, ${permission ?? 'permission unknown'}): ${may}; test ${test}, live ${live}`;
    output.write(paint.red(wrap(text, output, { indent: '    ', first: '  ' })));
  }
  const unknown = undetermined.length === 0 ? '' : `, ${undetermined.length} could not be compared`;
  const what = differences.length === 0 ? 'nothing differs' : counted(differences.length, 'difference');
  const mark =
    differences.length + undetermined.length === 0 && compared > 0 ? paint.green('✔') : paint.red('✘');
  output.write(`  ${mark} ${counted(compared, 'call')} compared, ${what}${unknown}\n`);
}

function renderResult(
  result: VerifyResult,
  output: TextOutput,
  { verbose, isAlone }: { verbose: boolean; isAlone: boolean },
): void {
  const paint = paintFor(output);
  const [name, file] = [plain(result.profile), plain(result.file)];
  const fits = name.length + 1 + file.length <= (output.columns ?? Number.POSITIVE_INFINITY);
  output.write(`${paint.bold(name)}${fits ? ' ' : '\n  '}${paint.dim(file)}\n`);
  if (result.key !== null) {
    const { id, mode, fingerprint, variable, place } = result.key;
    const facts = new Map(keyFacts(result));
    const life = ['age', 'expires', 'account', 'profile digest'].flatMap((name) =>
      facts.has(name) ? [`${name} ${facts.get(name)}`] : [],
    );
    const key = `${mode ?? 'unknown'} key ${id ?? '(not made here)'}, ${variable} from ${place}, ${fingerprint}, ${life.join(', ')}`;
    output.write(paint.dim(wrap(key, output, { indent: '  ' })));
  }
  const others = othersKey(result);
  if (others !== undefined) output.write(paint.yellow(wrap(others, output, { indent: '  ' })));
  renderFindings(result, output, { verbose });
  // Of a key that was not asked there is its reason to tell, and nothing else.
  if (result.summary.probes > 0 && result.stopped === undefined) {
    renderReadWidenings(result, output);
    renderUnasked(result, output);
    if (isAlone) renderMatrix({ results: [result] }, output, { verbose });
  }
  renderWitnesses(result, output);
  renderLastUse(result, output);
  if (verbose) renderProbes(result, output);
  if (result.stopped !== undefined) {
    output.write(paint.yellow(wrap(`Stopped: ${result.stopped.message}`, output, { indent: '  ' })));
    const { hint } = result.stopped;
    const command = result.stoppedFix?.command;
    // The same command is not told twice.
    if (hint !== undefined && (command === undefined || !hint.includes(`"${command}"`))) {
      output.write(wrap(`→ ${hint}`, output, { indent: '    ', first: '  ' }));
    }
  }
  if (result.stoppedFix !== undefined) renderFix(result.stoppedFix, output);
  const mark = resultIsOk(result) ? paint.green('✔') : paint.red('✘');
  output.write(wrap(verdictLine(result), output, { indent: '    ', first: `  ${mark} ` }));
}

function renderReadWidenings(result: VerifyResult, output: TextOutput): void {
  const reading = result.widenings.filter((widening) => !widening.canWrite && !widening.accepted);
  if (reading.length === 0) return;
  const text = reading.map(describeWidening).join('; ');
  output.write(
    wrap(`Also readable, since Stripe cannot separate it: ${text}.`, output, { indent: '    ', first: '  ' }),
  );
}

const whyUnasked: Readonly<Record<UnansweredReason, string>> = {
  oauth: 'Stripe answers in the form of OAuth, which says nothing about permissions',
  'session-token': 'it takes the token of a session, not an API key',
  'test-mode': 'it exists in test mode alone, and this is a live key',
  'stripe-mock': 'the specification of stripe-mock does not have it',
  blind: 'calibration has shown that every key gets the same answer',
  unsafe: 'calibration has shown that its probe is not harmless, so it was not sent',
};

function renderUnasked({ unasked = [] }: VerifyResult, output: TextOutput): void {
  for (const reason of UNANSWERED_REASONS) {
    const names = unasked.filter((one) => one.reason === reason).map((one) => one.operation);
    if (names.length === 0) continue;
    const text = `Cannot be verified, since ${whyUnasked[reason]}: ${someOf(names)}.`;
    output.write(wrap(text, output, { indent: '    ', first: '  ' }));
  }
}

/** What could not be seen, and what Stripe's record of the key says besides. */
function renderWitnesses(
  { unseen, witnesses, contradictions = [], stopped }: VerifyResult,
  output: TextOutput,
): void {
  const paint = paintFor(output);
  for (const { message } of contradictions) {
    output.write(paint.red(wrap(`CONTRADICTION ${message}`, output, { indent: '    ', first: '  ' })));
  }
  if (witnesses === undefined || stopped !== undefined) return;
  for (const sentence of unseenSentences(unseen))
    output.write(paint.dim(wrap(sentence, output, { indent: '    ', first: '  ' })));
  const { record } = witnesses;
  const said = record.read ? `Stripe's record of the key was read as well (${record.id}).` : record.message;
  if (record.read || unseen.length > 0)
    output.write(paint.dim(wrap(said, output, { indent: '    ', first: '  ' })));
}

/** What was never used comes first. */
function renderLastUse({ lastUse }: VerifyResult, output: TextOutput): void {
  if (lastUse === undefined) return;
  const uses = lastUse.permissions.map((use) => `${lastUseName(use)} ${lastUseText(use)}`);
  const text = `Last used (${lastUseWitness(lastUse)}): ${uses.join('; ') || 'nothing is granted'}.${lastUseUnseen(lastUse)}`;
  output.write(wrap(text, output, { indent: '    ', first: '  ' }));
}

/** `charge_read: radar.earlyFraudWarnings (2)`, the operations gathered by their resource. */
export function describeWidening(widening: Widening): string {
  const cause =
    widening.implied === undefined
      ? widening.permission
      : `${widening.permission} implies ${widening.implied}`;
  const resources = [...new Set(widening.operations.map((name) => name.replace(/\.[^.]+$/, '')))];
  return `${resources.join(', ')} (${cause}${widening.connect === true ? ' with Stripe-Account' : ''})`;
}

function renderProbes(result: VerifyResult, output: TextOutput): void {
  for (const probe of result.probes) {
    const status = probe.status === null ? '---' : String(probe.status);
    const how = probe.observed === 'inconclusive' ? '' : `, ${EVIDENCE_WORDS[probe.evidence]}`;
    const side = probe.connect ? ' with Stripe-Account' : '';
    const line = `  ${status} ${probe.observed} (expected ${probe.expected}${how}) ${probe.operation}${side} ${probe.permission ?? 'unknown'}`;
    output.write(`${line}\n`);
  }
}
