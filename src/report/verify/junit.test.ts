import { readFileSync } from 'node:fs';
import { type XmlAttribute, XmlDocument, type XmlElement, XsdValidator } from 'libxml2-wasm';
import { describe, expect, it } from 'vitest';
import {
  captured,
  drift,
  finding,
  HOSTILE_TEXTS,
  probeResult,
  stoppedResult,
  verifyReport,
  verifyResult,
} from '../../../test/support/verify-report-factory.ts';
import type { VerifyResult } from '../../core/result/verify-report.ts';
import { exitCodeOf } from '../../core/result/verify-report.ts';
import { renderVerifyJunit } from './junit.ts';

const schema = XsdValidator.fromDoc(
  XmlDocument.fromString(readFileSync(new URL('../../../test/fixtures/junit.xsd', import.meta.url), 'utf8')),
);

/** The report as libxml2 reads it, valid by the schema. */
function read(results: readonly VerifyResult[]): XmlDocument {
  const output = captured();
  renderVerifyJunit(verifyReport(results), output);
  // GitHub's runner would take these for a command.
  expect(output.text).not.toMatch(/^\s*::|##\[/m);
  const document = XmlDocument.fromString(output.text);
  schema.validate(document);
  return document;
}

const all = (document: XmlDocument, path: string): string[] =>
  document.find(path).map((node) => (node as XmlAttribute | XmlElement).content);

describe('renderVerifyJunit', () => {
  it('has a case for each drift from the lock file, and one where there is none', () => {
    const document = read([
      verifyResult({
        findings: [finding('over-grant')],
        drift: [drift('wider-key'), drift('narrower'), drift('changed')],
      }),
      verifyResult({ profile: 'same', drift: [] }),
    ]);
    expect(all(document, '//testcase[failure]/@name')).toEqual([
      'refunds.create (POST /v1/refunds)',
      'drift: wider-key wider-key.call',
    ]);
    expect(all(document, '//testcase[system-out]/@name')).toEqual([
      'drift: narrower narrower.call',
      'drift: changed changed.call',
    ]);
    expect(all(document, '//testsuite[@name="same"]/testcase/@name')).toContain('drift: none, as locked');
    expect(all(document, '/testsuites/@tests')).toEqual([String(document.find('//testcase').length)]);
    expect(all(document, '/testsuites/@failures')).toEqual(['2']);
  });

  it('says of each kind of finding what a reader of JUnit understands by it', () => {
    const document = read([
      verifyResult({
        findings: [
          finding('accepted', { operation: 'a' }),
          finding('inconclusive', { operation: 'b' }),
          finding('under-grant', { operation: 'c' }),
          finding('over-grant', { operation: 'd' }),
        ],
      }),
    ]);
    expect(all(document, '//testcase[failure]/@name')).toEqual([
      'd (POST /v1/refunds)',
      'c (POST /v1/refunds)',
    ]);
    expect(all(document, '//failure/@type')).toEqual(['over-grant', 'under-grant']);
    expect(all(document, '//testcase[error]/@name')).toEqual(['b (POST /v1/refunds)']);
    expect(all(document, '//error/@type')).toEqual(['rate-limit']);
    expect(all(document, '//testcase[system-out]/@name')).toEqual(['a (POST /v1/refunds)']);
    expect(all(document, '//testcase[not(*)]/@name')).toEqual(['charges.list (GET /v1/charges)']);
    expect(all(document, '//failure[@type="over-grant"]')[0]).toContain('profiles/analytics.yaml:7:5');
  });

  it('counts what it lists, in each suite and over all', () => {
    const document = read([
      verifyResult({ findings: [finding('over-grant'), finding('inconclusive', { operation: 'b' })] }),
      stoppedResult({ profile: 'other' }),
      verifyResult({ profile: 'third' }),
    ]);
    for (const scope of ['/testsuites', ...[1, 2, 3].map((index) => `/testsuites/testsuite[${index}]`)]) {
      for (const [attribute, path] of [
        ['tests', '//testcase'],
        ['failures', '//failure'],
        ['errors', '//error'],
      ]) {
        const counted = all(document, `${scope}${path}`).length;
        expect(all(document, `${scope}/@${attribute}`), `${scope} ${attribute}`).toEqual([String(counted)]);
      }
    }
    expect(all(document, '/testsuites/@*')).toEqual(['keyaudit verify', '5', '1', '2', '4.000']);
  });

  it('puts the over-granted operation first, whichever profile has it', () => {
    const document = read([
      verifyResult({ profile: 'fine' }),
      verifyResult({ profile: 'less', findings: [finding('under-grant')] }),
      verifyResult({ profile: 'more', findings: [finding('over-grant')] }),
    ]);
    expect(all(document, '//testsuite/@name')).toEqual(['more', 'less', 'fine']);
    expect(all(document, '(//testcase)[1]/failure/@type')).toEqual(['over-grant']);
  });

  it.each<[string, VerifyResult]>([
    ['no key', stoppedResult()],
    ['nothing probed', verifyResult({ passed: [] })],
    ['interrupted after a pass', verifyResult({ stopped: { code: 'INTERRUPTED', message: 'Interrupted.' } })],
    ['an inconclusive probe', verifyResult({ findings: [finding('inconclusive')] })],
  ])('fails in the reader as the exit code fails: %s', (_title, result) => {
    expect(exitCodeOf({ results: [result] })).toBe(3);
    expect(all(read([result]), '//error')).toHaveLength(1);
  });

  it('passes where all is as the profile says or accepted', () => {
    const results = [verifyResult({ findings: [finding('accepted')] })];
    expect(exitCodeOf({ results })).toBe(0);
    expect(all(read(results), '//failure | //error')).toEqual([]);
  });

  it.each(HOSTILE_TEXTS)('gives back unharmed, in every place: %j', (text) => {
    const document = read([
      verifyResult({
        profile: text,
        file: text,
        passed: [probeResult()],
        findings: [
          finding('over-grant', { message: text, notes: [text] }),
          finding('accepted', { operation: 'x', message: text }),
        ],
      }),
    ]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no place for these
    const readable = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]|\p{Surrogate}/gu, '\ufffd');
    expect(all(document, '//testsuite/@name')).toEqual([readable]);
    expect(all(document, '//failure/@message')).toEqual([readable]);
    expect(all(document, '//failure')[0]?.endsWith(readable)).toBe(true);
    expect(all(document, '//system-out')).toEqual([`accepted: ${readable}`]);
  });
});

it('has a case for a call of each side', () => {
  const call = { operation: 'refunds.create', method: 'POST', resource: 'refunds' } as const;
  const result = verifyResult({
    passed: [probeResult(call)],
    findings: [finding('over-grant', { ...call, connect: true })],
  });
  const cases = all(read([result]), '//testcase/@name');
  expect(cases).toEqual([
    expect.stringMatching(/^refunds\.create with Stripe-Account /),
    expect.stringMatching(/^refunds\.create \(/),
  ]);
});
