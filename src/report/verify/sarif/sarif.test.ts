import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import type { Log, Result } from 'sarif';
import { describe, expect, it } from 'vitest';
import {
  captured,
  drift,
  finding,
  HOSTILE_TEXTS,
  stoppedResult,
  verifyReport,
  verifyResult,
} from '../../../../test/support/verify-report-factory.ts';
import type { VerifyResult } from '../../../core/result/verify-report.ts';
import { renderVerifySarif } from './sarif.ts';

const { resolve } = createRequire(import.meta.url);
const schemaFile = resolve('@microsoft/jest-sarif').replace(
  /lib[\\/].*$/,
  'lib/schemas/sarif-2.1.0-rtm.5.json',
);
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
formats.default(ajv);
// The schema is draft 4; without its own "id" and "$schema" nothing in it differs from draft 7.
const { $schema: _draft, id: _id, ...schema } = JSON.parse(readFileSync(schemaFile, 'utf8'));
const validate = ajv.compile(schema);

function read(
  results: readonly VerifyResult[],
  sourcePrefix = '',
): Log['runs'][number] & { results: Result[] } {
  const output = captured();
  renderVerifySarif(verifyReport(results), output, { version: '1.2.3', sourcePrefix });
  const log = JSON.parse(output.text) as Log;
  expect(validate(log), JSON.stringify(validate.errors, null, 1)).toBe(true);
  const [run] = log.runs;
  return { ...run, results: run?.results ?? [] } as Log['runs'][number] & { results: Result[] };
}

describe('renderVerifySarif', () => {
  it('names no category of its own, which would close the alerts of another profile', () => {
    expect(read([verifyResult({ findings: [finding('over-grant')] })])).not.toHaveProperty(
      'automationDetails',
    );
  });

  it('has drift from the lock file after the grave findings, without notes', () => {
    const run = read([
      verifyResult({
        findings: [finding('accepted'), finding('over-grant')],
        drift: [drift('wider-key'), drift('narrower'), drift('changed')],
      }),
    ]);
    const rules = run.tool.driver.rules ?? [];
    expect(
      run.results.map(({ level, ruleId, ruleIndex }) => [rules[ruleIndex ?? -1]?.id, ruleId, level]),
    ).toEqual([
      ['over-grant/money-out', 'over-grant/money-out', 'error'],
      ['drift/other', 'drift/other', 'error'],
      ['drift-narrower', 'drift-narrower', 'warning'],
    ]);
    expect(run.results[1]?.locations?.[0]?.physicalLocation).toMatchObject({
      artifactLocation: { uri: 'keyaudit.lock.yaml' },
      region: { startLine: 9 },
    });
  });

  it('has a rule with help for each kind of finding, and none for what is accepted', () => {
    const run = read([
      verifyResult({
        findings: (['over-grant', 'under-grant', 'inconclusive', 'accepted'] as const).map((kind) =>
          finding(kind),
        ),
      }),
    ]);
    const rules = run.tool.driver.rules ?? [];
    expect(run.results.map(({ level, ruleIndex }) => [rules[ruleIndex ?? -1]?.id, level])).toEqual([
      ['over-grant/money-out', 'error'],
      ['under-grant', 'error'],
      ['inconclusive', 'warning'],
    ]);
    for (const rule of rules) expect(rule.help?.text.length, rule.id).toBeGreaterThan(40);
    expect(rules.find(({ id }) => id === 'over-grant/money-out')?.properties).toMatchObject({
      'security-severity': '9.1',
    });
  });

  it.each<[string, string, object]>([
    ['a path from the working folder', 'profiles/x.yaml', { uri: 'profiles/x.yaml', uriBaseId: '%SRCROOT%' }],
    ['a blank and a hash', 'my profiles/#1.yaml', { uri: 'my%20profiles/%231.yaml', uriBaseId: '%SRCROOT%' }],
    ['a colon, which is no scheme', 'a:b.yaml', { uri: 'a%3Ab.yaml', uriBaseId: '%SRCROOT%' }],
    ['an absolute path', '/etc/keys/x y.yaml', { uri: 'file:///etc/keys/x%20y.yaml' }],
    ['a relative Windows path', 'profiles\\x.yaml', { uri: 'profiles/x.yaml', uriBaseId: '%SRCROOT%' }],
    ['an absolute Windows path', 'C:\\p\\x.yaml', { uri: 'file:///C:/p/x.yaml' }],
  ])('points at the line of the profile: %s', (_title, file, artifactLocation) => {
    const run = read([
      verifyResult({ findings: [finding('over-grant', { location: { file, line: 7, column: 5 } })] }),
    ]);
    expect(run.results[0]?.locations?.[0]?.physicalLocation).toEqual({
      artifactLocation,
      region: { startLine: 7, startColumn: 5 },
    });
  });

  it('counts files from the root of the source', () => {
    const uris = (file: string) =>
      read(
        [
          verifyResult({
            file,
            findings: [finding('over-grant', { location: { file, line: 1, column: 1 } })],
          }),
          stoppedResult({ file }),
        ],
        'services/pay/',
      ).results.map(({ locations }) => locations?.[0]?.physicalLocation?.artifactLocation?.uri);
    expect(uris('profiles/x.yaml')).toEqual(Array(2).fill('services/pay/profiles/x.yaml'));
    expect(uris('/etc/x.yaml')).toEqual(Array(2).fill('file:///etc/x.yaml'));
  });

  it('says what lines would mend a finding, where lines of a profile do', () => {
    const result = verifyResult({ findings: [finding('over-grant')] });
    const [first] = result.permissionFindings;
    if (first === undefined) throw new Error('the factory explains nothing');
    const edit = { file: 'profiles/analytics.yaml', line: 9, insert: 'accept:\n' };
    const fixed = { ...first, fix: { text: 'Accept it.', edit } };
    const run = read([{ ...result, permissionFindings: [fixed] }], 'services/');
    expect(run.results[0]?.fixes).toMatchObject([
      {
        description: { text: 'Accept it.' },
        artifactChanges: [
          {
            artifactLocation: { uri: 'services/profiles/analytics.yaml' },
            replacements: [
              { deletedRegion: { startLine: 9, startColumn: 1 }, insertedContent: { text: 'accept:\n' } },
            ],
          },
        ],
      },
    ]);
  });

  it('has fingerprints that follow a finding and tell findings apart', () => {
    const at = (line: number, changes = {}) =>
      finding('over-grant', { location: { file: 'profiles/analytics.yaml', line, column: 1 }, ...changes });
    const fingerprints = (result: VerifyResult) =>
      read([result]).results.map((one) => one.partialFingerprints);
    const [first] = fingerprints(verifyResult({ findings: [at(3)] }));
    expect(fingerprints(verifyResult({ findings: [at(9, { message: 'Other words.' })] }))).toEqual([first]);
    for (const other of [
      verifyResult({ findings: [at(3, { permission: 'payout_write' })] }),
      verifyResult({ findings: [finding('under-grant')] }),
      verifyResult({ findings: [at(3)], profile: 'other' }),
    ]) {
      expect(fingerprints(other)).not.toEqual([first]);
    }
  });

  it('puts over-grants first, whichever profile has them', () => {
    const run = read([
      stoppedResult({ profile: 'a' }),
      verifyResult({ profile: 'b', findings: [finding('accepted')] }),
      verifyResult({ profile: 'c', findings: [finding('over-grant')] }),
    ]);
    expect(run.results.map(({ ruleId, properties }) => `${properties?.profile} ${ruleId}`)).toEqual([
      'c over-grant/money-out',
      'a inconclusive',
    ]);
  });

  it.each<[string, VerifyResult, boolean, number]>([
    ['all passed', verifyResult(), true, 0],
    ['a finding', verifyResult({ findings: [finding('over-grant')] }), true, 1],
    ['no key', stoppedResult(), false, 3],
    ['nothing probed', verifyResult({ passed: [] }), false, 3],
  ])(
    'tells a run without an answer from one without findings: %s',
    (_title, result, successful, exitCode) => {
      const { invocations, results } = read([result]);
      expect(invocations?.[0]).toMatchObject({ executionSuccessful: successful, exitCode });
      expect(results.length > 0).toBe(exitCode !== 0);
    },
  );

  it.each(HOSTILE_TEXTS)('stays valid and says it back: %j', (text) => {
    const run = read([
      verifyResult({
        profile: text,
        file: text,
        findings: [
          finding('over-grant', {
            message: text,
            notes: [text],
            location: { file: text, line: 1, column: 1 },
          }),
        ],
      }),
    ]);
    const readable = text.replace(/\p{Surrogate}/gu, '\ufffd');
    expect(run.results[0]?.message.text).toBe(
      `${readable} ${readable} What mends over-grant. Run: keyaudit rotate analytics`,
    );
    expect(run.results[0]?.properties?.profile).toBe(readable);
    const uri = run.results[0]?.locations?.[0]?.physicalLocation?.artifactLocation?.uri ?? '';
    expect(decodeURIComponent(uri)).toBe(readable.replaceAll('\\', '/'));
  });

  it('lets no text pass for a placeholder or a link', () => {
    const run = read([
      verifyResult({ findings: [finding('over-grant', { message: 'GET /v1/x/{id} {0} [a](1)' })] }),
    ]);
    expect(run.results[0]?.message.text).toBe(
      'GET /v1/x/:id {{0}} [a] (1) What mends over-grant. Run: keyaudit rotate analytics',
    );
  });
});
