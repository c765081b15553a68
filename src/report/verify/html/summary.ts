import { unseenOf } from '../../../core/result/unseen-count.ts';
import {
  hasFindings,
  resultIsOk,
  type VerifyReport,
  type VerifyResult,
} from '../../../core/result/verify-report.ts';
import { counted, dayAndTime, grouped, type TextOutput, wellFormed } from '../../text.ts';
import { countOf, othersKey } from '../words/finding-words.ts';
import { keyFacts, reportFacts } from '../words/provenance-facts.ts';
import { totalLine, verdictLine } from '../words/verdict-line.ts';
import { escapeXml as text } from '../xml.ts';
import { answersOf } from './numbers.ts';
import { trendOf } from './trend.ts';

/** The verdict in one sentence. */
export function headline(report: VerifyReport): string {
  const { results } = report;
  const bad = results.filter((result) => !resultIsOk(result));
  const [first] = bad;
  if (results.length === 0) return 'nothing was verified';
  if (first === undefined) {
    return results.length === 1
      ? 'the key is as its profile says'
      : `all ${counted(results.length, 'key')} are as their profiles say`;
  }
  if (results.length === 1) return `${first.profile}: ${verdictLine(first)}`;
  return `${bad.length} of ${counted(results.length, 'key')} did not pass`;
}

/** What came of it in one word, with its mark: `yes`, `no`, `unknown`. */
export function verdictOf({ results, comparisons }: VerifyReport): 'yes' | 'no' | 'unknown' {
  if (comparisons?.some(({ differences }) => differences.length > 0)) return 'no';
  if (results.some(hasFindings)) return 'no';
  return results.length > 0 && results.every(resultIsOk) ? 'yes' : 'unknown';
}

export const VERDICT_WORDS = { yes: '✔ Yes', no: '✘ No', unknown: '? Not known' } as const;

/** Verdict and numbers: the first screen. */
export function writeSummary(report: VerifyReport, { write }: TextOutput): void {
  const verdict = verdictOf(report);
  write('<header>\n');
  write(
    `<h1><span class="verdict ${verdict}">${VERDICT_WORDS[verdict]}</span>, ${text(headline(report))}</h1>\n`,
  );
  const { startedAt, keyaudit } = report.provenance;
  write(
    `<p class="muted">keyaudit ${text(keyaudit)}, ${text(dayAndTime(startedAt))}. ${text(report.targetNote)}</p>\n`,
  );
  write('<ul class="numbers">\n');
  for (const { id, question, answer, isBeyond, profiles, unknown } of answersOf(report)) {
    const colour =
      answer === 'yes'
        ? isBeyond || id === 'self-widening'
          ? 'bad'
          : 'some'
        : answer === 'no'
          ? 'good'
          : '';
    const words = {
      yes: `Yes, ${profiles.length} of ${counted(report.results.length, 'key')}`,
      no: 'No',
      unknown: 'Not known',
    }[answer];
    const open = unknown > 0 && answer === 'yes' ? `, ${unknown} not known` : '';
    const beyond = isBeyond ? ', more than its profile says' : '';
    write(
      `<li class="${colour}" id="number-${id}"><span class="question">${question}</span> <strong>${words}</strong><span class="which">${text(shortList(profiles))}${open}${beyond}</span></li>\n`,
    );
  }
  write('</ul>\n</header>\n');
}

function shortList(names: readonly string[]): string {
  const most = 3;
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

/** Who was asked, folded: with many profiles the matrix says more at a glance. */
export function writeProfiles(report: VerifyReport, { write }: TextOutput): void {
  const { results, history = [] } = report;
  const total = totalLine(report, (ms) => `${(ms / 1000).toFixed(1)} s`);
  write(`<details id="profiles"><summary><h2>Profiles</h2> <span>${text(total)}</span></summary>\n`);
  write(
    '<div class="scroll" role="region" aria-label="Table of profiles" tabindex="0"><table class="stacked">\n<thead><tr>',
  );
  const columns = [
    'Profile',
    'As it says',
    'Probes',
    'Over',
    'Under',
    'Not told',
    'Accepted',
    'Unseen',
    'Key',
    'Last runs',
  ];
  for (const name of columns) write(`<th scope="col">${name}</th>`);
  write('</tr></thead>\n<tbody>\n');
  results.forEach((result, index) => {
    write(profileRow(result, index, trendOf(result.profile, history)));
  });
  write('</tbody>\n</table></div>\n</details>\n');
}

function profileRow(result: VerifyResult, index: number, trend: string): string {
  const { summary, key } = result;
  const ok = resultIsOk(result);
  const mark = ok ? 'yes' : hasFindings(result) ? 'no' : 'unknown';
  const numbers: readonly (readonly [string, number])[] = [
    ['Probes', summary.probes],
    ['Over', countOf('over-grant', result)],
    ['Under', countOf('under-grant', result)],
    ['Not told', summary.inconclusive],
    ['Accepted', countOf('accepted', result)],
    ['Unseen', unseenOf(result)],
  ];
  const others = othersKey(result);
  const facts = new Map(keyFacts(result));
  const about =
    key === null
      ? 'none found'
      : `${facts.get('mode')} ${facts.get('key')}, age ${facts.get('age')}, expires ${facts.get('expires')}`;
  return `<tr id="p-${index}"><th scope="row"><a href="#!profile=${encodeURIComponent(wellFormed(result.profile))}" data-show="${index}">${text(result.profile)}</a></th><td data-label="As it says" class="${mark}">${VERDICT_WORDS[mark]}</td>${numbers
    .map(([label, number]) => `<td class="number" data-label="${label}">${grouped(number)}</td>`)
    .join(
      '',
    )}<td data-label="Key">${others === undefined ? '' : `<strong>${text(others)}</strong> `}${text(about)}</td><td data-label="Last runs">${trend}</td></tr>\n`;
}

/** Who was asked, when, by what: at the end, for who checks; with a place to sign on paper. */
export function writeProvenance(report: VerifyReport, { write }: TextOutput): void {
  write('<footer>\n<section>\n<h2>Provenance</h2>\n<dl class="facts">\n');
  for (const [name, value] of reportFacts(report)) write(`<dt>${text(name)}</dt><dd>${text(value)}</dd>\n`);
  write('</dl>\n<details><summary>Keys and profiles</summary>\n');
  for (const result of report.results) {
    const facts = keyFacts(result).map(([name, value]) => `${name} ${value}`);
    write(`<p><strong>${text(result.profile)}</strong>: ${text(facts.join('; '))}</p>\n`);
  }
  write('</details>\n</section>\n');
  write(
    '<p class="signature"><span>Reviewed by</span><span>Date</span><span>Signature</span></p>\n</footer>\n',
  );
}
