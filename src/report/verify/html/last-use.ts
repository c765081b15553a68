import type { VerifyReport } from '../../../core/result/verify-report.ts';
import type { TextOutput } from '../../text.ts';
import { lastUseName, lastUseText, lastUseUnseen, lastUseWitness } from '../words/last-use-text.ts';
import { escapeXml as text } from '../xml.ts';

/** So many rows are on the printed page. */
const MOST_PRINTED = 12;

/** When each permission was last used; nothing where no run of any profile is at hand. */
export function writeLastUse({ results }: VerifyReport, { write }: TextOutput): void {
  const known = results.flatMap(({ profile, lastUse }) =>
    lastUse === undefined ? [] : [{ profile, lastUse }],
  );
  if (known.length === 0) return;
  write('<section id="use-section">\n<h2>Last used</h2>\n');
  write('<div class="scroll" role="region" aria-label="Table of last uses" tabindex="0">');
  write('<table id="use" class="stacked">\n<thead><tr>');
  for (const name of ['Permission', 'Profile', 'Last used', 'Runs that used it'])
    write(`<th scope="col">${name}</th>`);
  write('</tr></thead>\n<tbody>\n');
  let rows = 0;
  for (const { profile, lastUse } of known) {
    for (const use of lastUse.permissions) {
      const last = use.lastUsed?.slice(0, 10) ?? 'never';
      write(
        `<tr${++rows > MOST_PRINTED ? ' class="late"' : ''}><th scope="row">${text(lastUseName(use))}</th><td data-label="Profile">${text(profile)}</td><td data-label="Last used"${use.lastUsed === null ? ' class="never"' : ''}>${last}</td><td data-label="Runs that used it">${text(lastUseText(use))}</td></tr>\n`,
      );
    }
  }
  write('</tbody>\n</table></div>\n');
  for (const { profile, lastUse } of known) {
    write(
      `<p class="muted">${text(`${profile}: ${lastUseWitness(lastUse)}.${lastUseUnseen(lastUse)}`)}</p>\n`,
    );
  }
  write('</section>\n');
}
