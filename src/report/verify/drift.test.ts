import { describe, expect, it } from 'vitest';
import {
  captured,
  drift,
  finding,
  HOSTILE_TEXTS,
  verifyReport,
  verifyResult,
} from '../../../test/support/verify-report-factory.ts';
import { EXIT } from '../../core/error.ts';
import { notSeen } from '../../core/result/findings/not-seen.ts';
import { exitCodeOf } from '../../core/result/verify-report.ts';
import type { Unseen } from '../../core/verdict/unseen.ts';
import { loadRenderer, VERIFY_FORMATS, type VerifyFormat } from './formats.ts';

const drifted = verifyResult({
  findings: [finding('accepted', { message: 'An accepted finding.' })],
  drift: [drift('new-widening'), drift('narrower'), drift('changed')],
});

async function rendered(format: VerifyFormat, result = drifted): Promise<string> {
  const output = captured();
  (await loadRenderer(format))(verifyReport([result]), output, {
    verbose: false,
    version: '1.2.3',
    sourcePrefix: '',
  });
  return output.text;
}

/** Standing notes of every rotation, such as another key, are no annotation and no alert. */
const WITHOUT_NOTES: readonly VerifyFormat[] = ['github', 'sarif', 'gitlab', 'markdown'];
/** What the profile accepts is no alert. */
const WITHOUT_ACCEPTED: readonly VerifyFormat[] = ['sarif', 'gitlab'];
/** Formats for programs have drift as a list of its own, or accepted findings among what passed. */
const BEFORE_ACCEPTED: readonly VerifyFormat[] = ['github', 'sarif', 'junit', 'markdown', 'html'];

describe.each(VERIFY_FORMATS)('drift in %s', (format) => {
  it('is shown with what it is, what fails first', async () => {
    const text = await rendered(format);
    const at = (words: string) => text.indexOf(words);
    expect(at('A drift of kind new-widening.')).toBeGreaterThan(0);
    expect(at('A drift of kind narrower.')).toBeGreaterThan(at('A drift of kind new-widening.'));
    expect(at('A drift of kind changed.') > 0).toBe(!WITHOUT_NOTES.includes(format));
    expect(at('An accepted finding.') > 0).toBe(!WITHOUT_ACCEPTED.includes(format));
    if (BEFORE_ACCEPTED.includes(format) && !WITHOUT_ACCEPTED.includes(format)) {
      expect(at('An accepted finding.')).toBeGreaterThan(at('A drift of kind new-widening.'));
    }
  });

  it('is not spoken of where nothing was compared', async () => {
    const text = await rendered(format, verifyResult());
    expect(text.replace(/"id": "drift[\s\S]*?"properties"|<script>[\s\S]*<\/script>/g, '')).not.toMatch(
      /drift|lock file/i,
    );
  });

  it.each(HOSTILE_TEXTS)('cannot forge anything: %j', async (hostile) => {
    const text = await rendered(
      format,
      verifyResult({
        drift: [
          drift('wider-key', {
            name: hostile,
            message: hostile,
            location: { file: hostile, line: 1, column: 1 },
          }),
        ],
      }),
    );
    if (format === 'html' || format === 'markdown') expect(text).not.toMatch(/<script>alert|<img/);
    // The runner reads its own commands first, so that these are data in an annotation.
    if (format !== 'github') expect(text).not.toContain('##[error]');
    expect(text.includes('\u001b')).toBe(format === 'github' && hostile.includes('\u001b'));
    expect(text.match(/^::error/gm)?.length ?? 0).toBe(format === 'github' ? 1 : 0);
  });
});

const risky: Unseen = {
  permission: 'api_key_write',
  connect: false,
  tier: 'self-widening',
  reason: 'no-call',
  operations: [],
};

describe.each(VERIFY_FORMATS)('what was not seen, in %s', (format) => {
  it('is said, with the permission and why', async () => {
    const bare = verifyResult({ unseen: [risky] });
    const permissionFindings = notSeen(bare).map((one) => ({ ...one, fix: null }));
    const witnesses = {
      probes: { asked: 1, connect: 'none' },
      record: { read: false, reason: 'no-secret-key', message: 'Its record was not read.' },
    } as const;
    const text = await rendered(format, { ...bare, permissionFindings, witnesses });
    expect(text).toContain('api_key_write');
    expect(text).toMatch(/no public call needs it/);
  });
});

describe('the exit code', () => {
  it.each([
    ['wider-key', EXIT.findings],
    ['wider-profile', EXIT.findings],
    ['new-widening', EXIT.findings],
    ['not-verified', EXIT.findings],
    ['narrower', EXIT.ok],
    ['changed', EXIT.ok],
  ] as const)('%s: %i', (kind, code) => {
    expect(exitCodeOf({ results: [verifyResult({ drift: [drift(kind)] })] })).toBe(code);
  });
});
