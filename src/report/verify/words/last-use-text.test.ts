import { describe, expect, it } from 'vitest';
import {
  captured,
  LAST_USE,
  verifyReport,
  verifyResult,
} from '../../../../test/support/verify-report-factory.ts';
import type { PermissionLastUse } from '../../../core/draft/runs/last-use.ts';
import type { VerifyReport } from '../../../core/result/verify-report.ts';
import type { TextOutput } from '../../text.ts';
import { renderVerifyHtml } from '../html/html.ts';
import { renderVerifyJson } from '../json.ts';
import { renderVerifyMarkdown } from '../markdown.ts';
import { renderVerifyTable } from '../table/table.ts';
import { lastUseText } from './last-use-text.ts';

const options = { verbose: false };
const renderers: Readonly<Record<string, (report: VerifyReport, output: TextOutput) => void>> = {
  table: (report, output) => renderVerifyTable(report, output, options),
  json: (report, output) => renderVerifyJson(report, output, options),
  markdown: (report, output) => renderVerifyMarkdown(report, output, options),
  html: renderVerifyHtml,
};

function rendered(format: string, report: VerifyReport): string {
  const output = captured();
  renderers[format]?.(report, output);
  return output.text.replaceAll(/\s+/g, ' ');
}

describe.each(Object.keys(renderers))('verify --format %s', (format) => {
  it('says nothing of uses where no run is at hand', () => {
    expect(rendered(format, verifyReport())).not.toMatch(/last ?use/i);
  });

  it('says of each permission when it was last used, by how many runs, and what was not seen', () => {
    const text = rendered(format, verifyReport([verifyResult({ lastUse: LAST_USE })]));
    if (format === 'json') {
      expect(JSON.parse(text)).toMatchObject({ results: [{ lastUse: LAST_USE }] });
      return;
    }
    expect(text).toMatch(/last used/i);
    expect(text).toContain('customer_read');
    expect(text).toContain('never used in 9 runs');
    expect(text).toMatch(/payout_write \(Connect\)/);
    expect(text).toContain('no run had it yet');
    expect(text).toContain('7 of 9 runs, last 2026-11-23 (charge_read would have been enough)');
    expect(text).toMatch(
      /9 runs, recorded and in the guard(?:'|&#39;|&apos;)s log, 2026-11-01 to 2026-11-24/,
    );
    expect(text).toContain('Not seen: A connection to files.stripe.com.');
  });
});

describe('lastUseText', () => {
  const use: PermissionLastUse = {
    permission: 'charge_read',
    connect: false,
    state: 'unused',
    runs: 0,
    had: 3,
    lastUsed: null,
  };
  it.each<[string, Partial<PermissionLastUse>]>([
    ['never used in 3 runs', {}],
    ['never used in 1 run', { had: 1 }],
    ['never used in 3 runs since it was granted', { state: 'new' }],
    ['never used in 3 runs; whether all of them had it is not known', { state: 'unknown' }],
    ['no run had it yet', { state: 'new', had: 0 }],
    ['2 of 3 runs, last 2026-11-24', { state: 'used', runs: 2, lastUsed: '2026-11-24T23:59:59.000Z' }],
  ])('%s', (text, changes) => {
    expect(lastUseText({ ...use, ...changes })).toBe(text);
  });
});
