import { describe, expect, it } from 'vitest';
import {
  captured,
  finding,
  HOSTILE_TEXTS,
  stoppedResult,
  verifyReport,
  verifyResult,
} from '../../../test/support/verify-report-factory.ts';
import type { VerifyResult } from '../../core/result/verify-report.ts';
import { plain } from '../text.ts';
import { renderVerifyMarkdown } from './markdown.ts';

function render(results: readonly VerifyResult[], verbose = false): string {
  const output = captured();
  renderVerifyMarkdown(verifyReport(results), output, { verbose });
  return output.text;
}

/** The tables under their headings, cells as a reader of the GitHub dialect shows them. */
function read(text: string): Record<string, string[][]> {
  const tables: Record<string, string[][]> = {};
  let heading = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) heading = line.replace(/^#+ /, '').replace(/:.*/, '');
    else if (line.startsWith('|')) {
      const cells = line.slice(1, -1).split(/(?<=(?<!\\)(?:\\\\)*)\|/);
      tables[heading] = [...(tables[heading] ?? []), cells.map((cell) => unescapeText(cell.trim()))];
    }
  }
  return tables;
}

function unescapeText(text: string): string {
  return text
    .replace(/^`(.*)`$/, '$1')
    .replace(/\\([!-/:-@[-`{-~])/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

describe('renderVerifyMarkdown', () => {
  it('begins with what is wrong, over-grants first, and ends with the profiles', () => {
    const text = render([
      stoppedResult({ profile: 'a' }),
      verifyResult({ profile: 'b', findings: [finding('accepted'), finding('inconclusive')] }),
      verifyResult({ profile: 'c', findings: [finding('under-grant')] }),
      verifyResult({ profile: 'd', findings: [finding('over-grant')] }),
    ]);
    expect(text.match(/^#.*/gm)?.map((line) => line.replace(/:.*/, ''))).toEqual([
      '## keyaudit verify',
      '### Over-grants',
      '### Under-grants',
      '### Not determined',
      '### Inconclusive',
      '### Accepted',
      '### Profiles',
      '### Provenance',
      '### Keys',
    ]);
    expect(text).toMatch(
      /^## keyaudit verify: ❌ 1 over-grant, 1 under-grant, 1 inconclusive, 1 profile not determined$/m,
    );
    const tables = read(text);
    expect(tables['Over-grants']?.[2]).toEqual([
      'd',
      'charge_write',
      'money out',
      'A finding of kind over-grant.',
      'What mends over-grant. `keyaudit rotate analytics`',
      'profiles/analytics.yaml:7:5',
    ]);
    expect(tables['Not determined']?.[2]).toEqual(['a', 'There is no key.', 'Make one.']);
    expect(tables.Profiles?.slice(2).map(([mark, profile]) => `${mark} ${profile}`)).toEqual([
      '❌ d',
      '❌ c',
      '❌ a',
      '❌ b',
    ]);
  });

  it.each<[string, VerifyResult, string]>([
    ['all passed', verifyResult(), '✅ every key is as its profile says'],
    ['accepted alone', verifyResult({ findings: [finding('accepted')] }), '✅ every key'],
    ['nothing probed', verifyResult({ passed: [] }), '❌ 1 profile not determined'],
  ])('says yes or no in its first line: %s', (_title, result, headline) => {
    expect(render([result]).split('\n')[0]).toContain(headline);
  });

  it('stays far below the 1 MiB of a job summary, and says what it left out', () => {
    const findings = Array.from({ length: 5000 }, (_, index) =>
      finding('over-grant', { permission: `permission${index}`, message: 'x'.repeat(400) }),
    );
    const text = render([verifyResult({ findings })]);
    expect(text.length).toBeLessThan(200_000);
    expect(text).toContain('And 4,900 more; `--verbose` shows them all.');
    expect(render([verifyResult({ findings })], true)).toContain('permission4999');
  });

  it.each(HOSTILE_TEXTS)('stays in its cell and says it back: %j', (text) => {
    const rendered = render([
      verifyResult({ profile: text, file: text, findings: [finding('over-grant', { message: text })] }),
      stoppedResult({ profile: 'other', stopped: { code: 'BUG', message: text, hint: text } }),
    ]);
    const shown = plain(text).trim();
    const tables = read(rendered);
    expect(tables['Over-grants']?.[2]?.[0]).toBe(shown);
    expect(tables['Over-grants']?.[2]?.[3]).toBe(shown);
    expect(tables['Not determined']?.[2]).toEqual(['other', shown, shown]);
    expect(tables.Profiles?.[2]?.[1]).toBe(shown);
    for (const [name, rows] of Object.entries(tables)) {
      expect(new Set(rows.map((row) => row.length)).size, name).toBe(1);
    }
    expect(rendered).not.toContain('<');
    expect(rendered).not.toMatch(/(?<!\\)\[/);
  });
});
