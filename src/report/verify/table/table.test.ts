import { describe, expect, it } from 'vitest';
import {
  captured,
  finding,
  HOSTILE_TEXTS,
  stoppedResult,
  verifyReport,
  verifyResult,
} from '../../../../test/support/verify-report-factory.ts';
import { renderVerifyTable } from './table.ts';

describe('renderVerifyTable', () => {
  it.each([...HOSTILE_TEXTS, `${'x '.repeat(50)}::error::forged`])(
    'says nothing that a terminal or a CI runner would obey: %j',
    (text) => {
      const output = captured();
      const results = [
        verifyResult({
          profile: text,
          file: text,
          findings: [finding('over-grant', { message: text, notes: [text] })],
        }),
        stoppedResult({ profile: text, stopped: { code: 'BUG', message: text, hint: text } }),
      ];
      renderVerifyTable(verifyReport(results), output, { verbose: false });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
      expect(output.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      expect(output.text).not.toMatch(/^\s*::|##\[/m);
      const word = /[a-z]{4,}/.exec(text)?.[0] ?? '';
      expect(output.text.split(word).length).toBeGreaterThan(5);
    },
  );
});
