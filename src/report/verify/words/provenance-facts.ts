import { ageInDays } from '../../../core/result/provenance.ts';
import type { VerifyReport, VerifyResult, Witnesses } from '../../../core/result/verify-report.ts';
import { counted, dayAndTime, inWords } from '../../text.ts';

/** A name and what stands for it, as texts. */
export type Fact = readonly [name: string, value: string];

/** Where a report comes from, what was asked and by what: the same facts in every format. */
export function reportFacts(report: Omit<VerifyReport, 'results'>): readonly Fact[] {
  const { provenance, target, apiBase, catalog, calibrated, apiVersion, depth } = report;
  const { startedAt, durationMs, keyaudit, ci, policy, lock } = provenance;
  return [
    ['began', dayAndTime(startedAt)],
    ['took', inWords(durationMs)],
    ['keyaudit', keyaudit],
    ['target', target],
    ['server', apiBase],
    [
      'catalog',
      calibrated === undefined ? catalog : `${catalog} (${counted(calibrated, 'operation')} calibrated)`,
    ],
    ['API version', apiVersion],
    ['depth', depth],
    ...some('commit', ci?.commit),
    ...some('ref', ci?.ref),
    ...some('CI run', ci === null ? undefined : (ci.url ?? ci.system)),
    ...some('policy', policy === null ? undefined : `${policy.file} ${policy.digest}`),
    ...some('lock file', lock === null ? undefined : `${lock.file} ${lock.digest}`),
  ];
}

/** Which key was asked, for which profile. */
export function keyFacts({ key, profileDigest, startedAt, witnesses }: VerifyResult): readonly Fact[] {
  const profile: Fact = ['profile digest', profileDigest];
  if (key === null) return [['key', 'none found'], profile];
  return [
    ['key', key.id ?? 'not made here'],
    ['mode', key.mode ?? 'unknown'],
    ['fingerprint', key.fingerprint],
    ['variable', `${key.variable} from ${key.place}`],
    ['age', ageText(key, startedAt)],
    ['expires', expiryText(key)],
    ...some('account', key.account),
    ...some('witnesses', witnesses === undefined ? undefined : witnessText(witnesses)),
    profile,
  ];
}

/** Who said what the key may do. */
function witnessText({ probes, record }: Witnesses): string {
  const asked = counted(probes.asked, 'probe');
  return record.read ? `${asked} and Stripe's record (${record.id})` : `${asked} (${record.message})`;
}

/** `12 days (made 2026-10-21)`, or that nobody here knows. */
function ageText({ createdAt }: NonNullable<VerifyResult['key']>, at: string): string {
  const days = ageInDays(createdAt, at);
  return days === undefined || createdAt === null
    ? 'not known here'
    : `${counted(days, 'day')} (made ${createdAt.slice(0, 10)})`;
}

/** A key that was made here without an end has none; of any other nobody here knows. */
function expiryText({ id, expiresAt }: NonNullable<VerifyResult['key']>): string {
  if (expiresAt !== null) return dayAndTime(expiresAt);
  return id === null ? 'not known here' : 'never';
}

function some(name: string, value: string | null | undefined): readonly Fact[] {
  return value === null || value === undefined ? [] : [[name, value]];
}
