import { describe, expect, it } from 'vitest';
import {
  captured,
  finding,
  HOSTILE_TEXTS,
  largeReport,
  probeResult,
  stoppedResult,
  verifyReport,
  verifyResult,
} from '../../../../test/support/verify-report-factory.ts';
import type { VerifyReport } from '../../../core/result/verify-report.ts';
import { escapeXml } from '../xml.ts';
import type { CallTable } from './call-table.ts';
import { renderVerifyHtml } from './html.ts';

function render(report: VerifyReport): string {
  const output = captured();
  renderVerifyHtml(report, output);
  return output.text;
}

/** The data of the page's script, as a browser finds its end. */
function dataOf(html: string): CallTable {
  return JSON.parse(
    /<script type="application\/json" id="data">(.*?)<\/script/s.exec(html)?.[1] ?? '',
  ) as CallTable;
}

describe('renderVerifyHtml', () => {
  it('has every call in its data, each with what came of it', () => {
    const report = verifyReport([
      verifyResult({ findings: [finding('over-grant')] }),
      verifyResult({
        profile: 'b',
        passed: [
          probeResult({
            operation: 'refunds.create',
            method: 'POST',
            path: '/v1/refunds',
            resource: 'refunds',
            status: 400,
          }),
        ],
      }),
      stoppedResult({ profile: 'c' }),
    ]);
    const { profiles, operations, states, calls } = dataOf(render(report));
    const read = profiles.map((profile, index) => [
      profile,
      ...operations.flatMap(([name], number) => {
        const digits = calls[index]?.slice(2 * number, 2 * number + 2) ?? '';
        return digits === '..' ? [] : [[name, ...(states[Number.parseInt(digits, 36)] ?? [])]];
      }),
    ]);
    expect(read).toEqual([
      [
        'analytics',
        ['charges.list', -1, 'allowed', 'allowed', 'strong', 'HTTP 200'],
        ['refunds.create', 0, 'forbidden', 'allowed', 'strong', 'HTTP 404'],
      ],
      ['c'],
      ['b', ['refunds.create', -1, 'allowed', 'allowed', 'strong', 'HTTP 400']],
    ]);
  });

  it('has a call of each side for itself', () => {
    const call = { operation: 'refunds.create', method: 'POST', resource: 'refunds' } as const;
    const result = verifyResult({
      passed: [probeResult(call)],
      findings: [finding('over-grant', { ...call, connect: true })],
    });
    const { operations } = dataOf(render(verifyReport([result])));
    expect(operations.map(([name]) => name)).toEqual([
      'refunds.create',
      'refunds.create with Stripe-Account',
    ]);
  });

  it('asks nothing of any network', () => {
    const html = render(verifyReport([verifyResult({ findings: [finding('over-grant')] })]));
    expect(html).toContain(`default-src 'none'`);
    expect(html).not.toMatch(/\s(src|action|srcset)=|\shref="(?!#)|@import|url\(|fetch\(|XMLHttpRequest/);
  });

  it('stays under 5 MiB for 200 profiles × 650 operations, and lists the gravest findings', () => {
    const report = largeReport(200, 650);
    const html = render(report);
    expect(Buffer.byteLength(html)).toBeLessThan(5 * 1024 * 1024);
    expect(dataOf(html).calls).toHaveLength(200);
    expect(html.match(/<li class="finding /g)).toHaveLength(350);
    expect(html.match(/<li class="finding over-grant/g)).toHaveLength(200);
    expect(html.match(/<li class="finding under-grant/g)).toHaveLength(150);
    expect(html).toMatch(/450 more findings: the table of every call has them all/);
  });

  it.each(HOSTILE_TEXTS)('lets no text become markup or script, and says it back: %j', (text) => {
    const html = render(
      verifyReport([
        verifyResult({
          profile: text,
          file: text,
          passed: [probeResult({ operation: text, path: text, resource: text })],
          findings: [
            finding('over-grant', {
              message: text,
              notes: [text],
              location: { file: text, line: 1, column: 1 },
            }),
            finding('inconclusive', { operation: 'x', reason: text }),
          ],
        }),
        stoppedResult({ profile: `stopped ${text}`, stopped: { code: 'BUG', message: text, hint: text } }),
      ]),
    );
    const data = dataOf(html);
    expect(data.profiles[0]).toBe(text);
    expect(data.operations.map(([name]) => name)).toContain(text);
    expect(html).toContain(`<p>${escapeXml(text)}</p>`);
    // The page's own tags, whatever the texts.
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html.match(/<\/script/g)).toHaveLength(2);
    expect(html).not.toMatch(/<img|<!--/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
    expect(html).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
  });
});
