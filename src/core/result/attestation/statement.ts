import { z } from 'zod';
import { shapeSentence } from '../../document/shape-problem.ts';
import { endOf } from '../provenance.ts';
import { unseenOf } from '../unseen-count.ts';
import {
  exitCodeOf,
  hasFindings,
  resultIsOk,
  type VerifyReport,
  type VerifyResult,
} from '../verify-report.ts';

/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** What the predicate says, and in which version; docs/attest.md describes it. */
const PREDICATE_TYPE = 'https://unpkg.com/keyaudit/docs/attest.md#v1';
/** https://github.com/in-toto/attestation/blob/main/spec/v1/envelope.md */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

const hex = z.string().regex(/^[0-9a-f]{16,128}$/);
const text = z.string().max(2000);
const count = z.number().int().nonnegative();
const source = z.object({ file: text, digest: text }).nullable();

const resultSchema = z.object({
  profile: text,
  file: text,
  profileDigest: text,
  key: z
    .object({
      id: text.nullable(),
      mode: text.nullable(),
      fingerprint: text,
      createdAt: text.nullable(),
      expiresAt: text.nullable(),
      account: text.nullable(),
    })
    .nullable(),
  verdict: z.enum(['as-profile', 'findings', 'undetermined']),
  summary: z.object({
    probes: count,
    passed: count,
    overGrants: count,
    underGrants: count,
    inconclusive: count,
    accepted: count,
  }),
  unseen: count,
  witnesses: z.object({ probes: count, record: z.boolean() }).nullable(),
  failOn: text.nullable(),
  findings: z.array(
    z.object({
      kind: text,
      permission: text.nullable(),
      connect: z.boolean(),
      tier: text,
      weight: text,
      calls: count,
    }),
  ),
});

const predicateSchema = z.object({
  keyaudit: text,
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  target: text,
  apiBase: text,
  catalog: text,
  apiVersion: text,
  depth: text,
  ci: z
    .object({
      system: text,
      commit: text.nullable(),
      ref: text.nullable(),
      repository: text.nullable(),
      url: text.nullable(),
    })
    .nullable(),
  policy: source,
  lock: source,
  exitCode: z.number().int(),
  results: z.array(resultSchema).min(1),
});

const statementSchema = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(z.object({ name: text, digest: z.record(z.string(), hex) })).min(1),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: predicateSchema,
});

/** An in-toto statement about keys: which keys and profiles, what was verified of them, and where that comes from. */
export type Statement = z.infer<typeof statementSchema>;
export type AttestedResult = z.infer<typeof resultSchema>;

/** The statement of a report; only of results that have a key, since nothing can be said of none. */
export function statementOf(report: VerifyReport): Statement | undefined {
  const results = report.results.filter(({ key }) => key !== null);
  if (results.length === 0) return undefined;
  const { provenance, target, apiBase, catalog, apiVersion, depth } = report;
  return {
    _type: STATEMENT_TYPE,
    subject: results.flatMap(subjectsOf),
    predicateType: PREDICATE_TYPE,
    predicate: {
      keyaudit: provenance.keyaudit,
      startedAt: provenance.startedAt,
      finishedAt: endOf(provenance),
      target,
      apiBase,
      catalog,
      apiVersion,
      depth,
      ci: provenance.ci,
      policy: provenance.policy,
      lock: provenance.lock,
      exitCode: exitCodeOf(report),
      results: results.map(attested),
    },
  };
}

/** The key by its fingerprint, which is the beginning of a digest and so is called by its bits; the profile by its digest. */
function subjectsOf({ profile, key, profileDigest }: VerifyResult): Statement['subject'] {
  const fingerprint = (key?.fingerprint ?? '').replace(/^sha256:/, '');
  return [
    { name: `key of ${profile}`, digest: { [`sha256-${fingerprint.length * 4}`]: fingerprint } },
    { name: `profile ${profile}`, digest: { sha256: profileDigest.replace(/^sha256:/, '') } },
  ];
}

function attested(result: VerifyResult): AttestedResult {
  const { profile, file, profileDigest, key, summary, failOn, permissionFindings } = result;
  const verdict = resultIsOk(result) ? 'as-profile' : hasFindings(result) ? 'findings' : 'undetermined';
  return {
    profile,
    file,
    profileDigest,
    key:
      key === null
        ? null
        : {
            id: key.id,
            mode: key.mode,
            fingerprint: key.fingerprint,
            createdAt: key.createdAt,
            expiresAt: key.expiresAt,
            account: key.account,
          },
    verdict,
    summary,
    unseen: unseenOf(result),
    witnesses:
      result.witnesses === undefined
        ? null
        : { probes: result.witnesses.probes.asked, record: result.witnesses.record.read },
    failOn: failOn ?? null,
    findings: permissionFindings.map(({ kind, permission, connect, tier, weight, operations }) => ({
      kind,
      permission,
      connect,
      tier,
      weight,
      calls: operations.length,
    })),
  };
}

/** Reads a statement; the reason where it is none of ours. */
export function readStatement(json: string): Statement | string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return 'its payload is no JSON';
  }
  const statement = statementSchema.safeParse(value);
  return statement.success ? statement.data : shapeSentence(statement.error.issues[0], 'its payload');
}
