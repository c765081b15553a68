import { describe, expect, it } from 'vitest';
import {
  captured,
  finding,
  HOSTILE_TEXTS,
  stoppedResult,
  verifyReport,
  verifyResult,
} from '../../../test/support/verify-report-factory.ts';
import type { VerifyReport } from '../../core/result/verify-report.ts';
import { renderVerifyJson } from './json.ts';

describe('renderVerifyJson', () => {
  it.each<[string, VerifyReport, string[]]>([
    ['no result', verifyReport([]), []],
    ['one', verifyReport(), ['analytics']],
    ['several', verifyReport([verifyResult(), stoppedResult({ profile: 'b' })]), ['analytics', 'b']],
  ])('is one indented document: %s', (_title, report, profiles) => {
    const output = captured();
    renderVerifyJson(report, output, { verbose: false });
    const document = JSON.parse(output.text) as {
      schema: string;
      results: { profile: string; probes?: unknown }[];
    };
    expect(output.text).toBe(`${JSON.stringify(document, null, 2)}\n`);
    expect(document.schema).toBe('keyaudit.verify/1');
    expect(document.results.map(({ profile }) => profile)).toEqual(profiles);
    expect(document.results.every(({ probes }) => probes === undefined)).toBe(true);
  });

  it.each([...HOSTILE_TEXTS, 'C1 \u009b31m and \u202eturned'])(
    'says it back, and nothing that a terminal or a CI runner would obey: %j',
    (text) => {
      const output = captured();
      renderVerifyJson(
        verifyReport([verifyResult({ profile: text, findings: [finding('over-grant', { message: text })] })]),
        output,
        { verbose: true },
      );
      const { results } = JSON.parse(output.text) as {
        results: { profile: string; findings: { message: string }[] }[];
      };
      // Half of a surrogate pair, which no encoding can hold, is replaced.
      const readable = text.replace(/\p{Surrogate}/gu, '\ufffd');
      expect(results[0]?.profile).toBe(readable);
      expect(results[0]?.findings[0]?.message).toBe(readable);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
      expect(output.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e]/);
      expect(output.text).not.toMatch(/^\s*::|##\[/m);
    },
  );
});
