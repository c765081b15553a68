import type { Fix, PermissionFinding } from '../../../core/result/findings/permission-finding.ts';
import { byRisk } from '../../../core/result/findings/permission-finding.ts';
import { notDetermined } from '../../../core/result/not-determined.ts';
import type { VerifyReport, VerifyResult } from '../../../core/result/verify-report.ts';
import { FINDING_KINDS } from '../../../core/verdict/finding.ts';
import { placeOf } from '../../error.ts';
import { counted, type TextOutput } from '../../text.ts';
import { evidenceWords } from '../words/evidence-words.ts';
import { besides, isDriftAlone, othersKey, subjectOf, TIER_WORDS } from '../words/finding-words.ts';
import { escapeXml as text } from '../xml.ts';

/** So many findings are spelled out; all of them are in the table of calls, without their message. */
const MOST_FINDINGS = 350;

/** The filter over findings, matrix and calls; the page's script shows it. */
export function writeFilter({ results }: VerifyReport, { write }: TextOutput): void {
  const option = (value: string | number, label: string) =>
    `<option value="${text(String(value))}">${text(label)}</option>`;
  const kinds = [
    option('', 'everything'),
    option('any', 'every finding'),
    ...FINDING_KINDS.map((kind) => option(kind, kind)),
    ...(results.some(({ unseen }) => unseen.length > 0) ? [option('unseen', 'unseen')] : []),
    ...(results.some(({ drift }) => drift !== undefined) ? [option('drift', 'drift')] : []),
    option('none', 'as expected'),
  ];
  const profiles = [option('', 'all'), ...results.map(({ profile }, index) => option(index, profile))];
  write('<form id="filter" role="search" hidden>\n');
  write(
    '<div class="field"><label for="search">Search</label><input id="search" type="search" autocomplete="off" spellcheck="false" placeholder="refunds, POST, charge_write"></div>\n',
  );
  write(
    `<div class="field"><label for="kind">Kind</label><select id="kind">${kinds.join('')}</select></div>\n`,
  );
  write(
    `<div class="field"><label for="profile">Profile</label><select id="profile">${profiles.join('')}</select></div>\n`,
  );
  write(
    '<button type="reset">Reset</button>\n<p id="count" role="status" aria-live="polite"></p>\n</form>\n',
  );
}

/** The findings by profile, those of the gravest profile first; within a profile by risk, what needs nothing last. */
export function writeFindings(report: VerifyReport, { write }: TextOutput): void {
  const all = report.results.flatMap((result, index) => [
    ...(notDetermined(result) === undefined ? [] : [{ result, index, finding: undefined }]),
    ...[...result.permissionFindings].sort(byRisk).map((finding) => ({ result, index, finding })),
  ]);
  const open = all.filter(({ finding }) => finding?.weight !== 'note');
  const notes = all.filter(({ finding }) => finding?.weight === 'note');
  // What is left out is what matters least, whichever profile it is of.
  const shown = new Set([...[...open].sort(byGravity), ...notes].slice(0, MOST_FINDINGS));
  write('<section id="findings-section">\n<h2>Findings</h2>\n');
  if (open.length === 0) write('<p>None.</p>\n');
  write('<p id="no-findings" hidden>None fits the filter.</p>\n');
  write(`<div id="findings" data-all="${all.length}">\n`);
  writeGroups(
    open.filter((one) => shown.has(one)),
    'h3',
    write,
  );
  const quiet = notes.filter((one) => shown.has(one));
  if (quiet.length > 0) {
    write(
      `<details id="notes"><summary><h3>${counted(notes.length, 'finding')} that ${notes.length === 1 ? 'needs' : 'need'} nothing: accepted, or noted</h3></summary>\n`,
    );
    writeGroups(quiet, 'h4', write);
    write('</details>\n');
  }
  write('</div>\n');
  if (all.length > shown.size) {
    write(
      `<p>${counted(all.length - shown.size, 'more finding')}: the table of every call has them all.</p>\n`,
    );
  }
  write('</section>\n');
}

/** A result that is no answer counts as what shuts the gate. */
function byGravity(a: Shown, b: Shown): number {
  if (a.finding === undefined || b.finding === undefined)
    return Number(a.finding !== undefined) - Number(b.finding !== undefined);
  return byRisk(a.finding, b.finding);
}

interface Shown {
  readonly result: VerifyResult;
  readonly index: number;
  readonly finding: PermissionFinding | undefined;
}

/** One list for each profile. */
function writeGroups(shown: readonly Shown[], heading: 'h3' | 'h4', write: (text: string) => void): void {
  let before: number | undefined;
  for (const { result, index, finding } of shown) {
    if (index !== before) {
      if (before !== undefined) write('</ul>\n</div>\n');
      const others = othersKey(result);
      write(
        `<div class="group" data-profile="${index}"><${heading} class="of">${text(result.profile)}</${heading}>${others === undefined ? '' : `<p class="others">${text(others)}</p>`}\n<ul class="findings">\n`,
      );
      before = index;
    }
    write(finding === undefined ? stoppedCard(result, index) : findingCard(finding, result, index));
  }
  if (before !== undefined) write('</ul>\n</div>\n');
}

const DRIFT_STYLES = {
  fails: 'over-grant',
  unknown: 'inconclusive',
  warns: 'inconclusive',
  note: 'inconclusive',
} as const;

function findingCard(finding: PermissionFinding, { file }: VerifyResult, index: number): string {
  const { kind, weight, operations, tier, fix, location } = finding;
  const isDrift = isDriftAlone(finding);
  const style = isDrift ? DRIFT_STYLES[weight] : finding.cause === 'not-seen' ? 'inconclusive' : kind;
  const id = `f-${index}-${slug(`${kind} ${subjectOf(finding)}`)}`;
  const facts = [
    ...(kind === 'inconclusive' || (isDrift && finding.permission === null) ? [] : [TIER_WORDS[tier]]),
    ...(operations.length === 0 ? [] : [counted(operations.length, 'call')]),
    ...evidenceWords(finding),
    ...(isDrift ? ['drift'] : []),
  ];
  const place = location.file === '' ? file : placeOf(location);
  const calls =
    // The sentence names as many as this.
    operations.length <= 4
      ? ''
      : `<details class="calls"><summary>${counted(operations.length, 'call')}</summary><p><code>${text(operations.join(', '))}</code></p></details>\n`;
  return `<li class="finding ${style}" id="${id}" data-kind="${isDrift ? 'drift' : kind}" data-profile="${index}">
<p class="title"><span class="badge ${style}">${text(kind)}</span> <strong><code>${text(subjectOf(finding))}</code></strong> <span class="tier ${tier}">${text(facts.join(', '))}</span> <a class="anchor" href="#${id}" aria-label="Link">#</a></p>
<p>${text(finding.message)}</p>
${besides(finding)
  .map((note) => `<p>Note: ${text(note)}</p>\n`)
  .join('')}${calls}${fixBlock(fix)}${acceptBlock(finding)}<p class="muted"><code>${text(place)}</code></p>
</li>
`;
}

function fixBlock(fix: Fix | null | undefined): string {
  if (fix === null || fix === undefined) return '';
  const command =
    fix.command === undefined
      ? ''
      : `<p class="copy"><code>${text(fix.command)}</code> <button type="button" data-copy hidden>Copy</button></p>\n`;
  return `<p class="fix">${text(fix.text)}</p>\n${command}`;
}

/** What a key can do more, as the lines that would accept it; only where it could be meant. */
function acceptBlock({ kind, cause, operations }: PermissionFinding): string {
  if (kind !== 'over-grant' || cause !== 'widening' || operations.length === 0) return '';
  const lines = `accept:\n  - operations: [${operations.join(', ')}]\n    reason: `;
  return `<details class="accept"><summary>As accept:</summary><div class="copy"><pre>${text(lines)}</pre><button type="button" data-copy hidden>Copy</button></div></details>\n`;
}

function stoppedCard(result: VerifyResult, index: number): string {
  const why = notDetermined(result);
  if (why === undefined) return '';
  const hint = why.hint === undefined ? '' : `<p>${text(why.hint)}</p>\n`;
  return `<li class="finding inconclusive" id="f-${index}-not-determined" data-kind="inconclusive" data-profile="${index}">
<p class="title"><span class="badge inconclusive">not determined</span> <a class="anchor" href="#f-${index}-not-determined" aria-label="Link">#</a></p>
<p>${text(why.message)}</p>
${hint}${fixBlock(result.stoppedFix)}<p class="muted"><code>${text(result.file)}</code></p>
</li>
`;
}

function slug(words: string): string {
  return words
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 80);
}
