import {
  hasDrifted,
  resultIsOk,
  type VerifyReport,
  type VerifyResult,
} from '../../../core/result/verify-report.ts';
import { counted, grouped } from '../../text.ts';
import { countOf, isDriftAlone } from './finding-words.ts';
import { unseenInShort } from './unseen-text.ts';

/** `as the profile says: 178 probes, 175 passed, 3 accepted`. */
export function verdictLine(result: VerifyResult): string {
  const { summary, stopped } = result;
  const parts = [
    counted(summary.probes, 'probe'),
    `${grouped(summary.passed)} passed`,
    ...numberOf('over-grant', summary.overGrants, result),
    ...numberOf('under-grant', summary.underGrants, result),
    ...(summary.inconclusive > 0 ? [`${grouped(summary.inconclusive)} inconclusive`] : []),
    ...(summary.accepted > 0 ? [`${grouped(summary.accepted)} accepted`] : []),
    ...driftsOf(result),
  ];
  const unseen = unseenInShort(result.unseen);
  const partial = stopped === undefined ? '' : ' (partial)';
  return `${judgement(result)}: ${parts.join(', ')}${partial}${unseen === undefined ? '' : `; ${unseen}`}`;
}

/** `1 over-grant (3 calls)`: by permission, since one wrong permission is one mistake. */
function numberOf(
  kind: 'over-grant' | 'under-grant',
  calls: number,
  result: VerifyResult,
): readonly string[] {
  if (calls === 0) return [];
  const permissions = countOf(kind, result);
  return [`${counted(permissions, kind)}${permissions === calls ? '' : ` (${counted(calls, 'call')})`}`];
}

/** Those that are part of no other finding. */
function driftsOf(result: VerifyResult): readonly string[] {
  const alone = result.permissionFindings.filter((one) => isDriftAlone(one) && one.weight === 'fails').length;
  return alone === 0 ? [] : [`${grouped(alone)} drifted`];
}

function judgement(result: VerifyResult): string {
  const { summary, failOn } = result;
  if (failOn !== undefined && resultIsOk(result) && summary.overGrants > 0)
    return `nothing as grave as ${failOn}`;
  if (summary.overGrants > 0) return 'the key can do more than its profile says';
  if (summary.underGrants > 0) return 'the key can do less than its profile says';
  if (hasDrifted(result)) return 'the key or its profile left what was agreed';
  if (resultIsOk(result)) {
    if (summary.probes === 0) return "as the profile says, by Stripe's record of the key";
    return unseenInShort(result.unseen) === undefined
      ? 'as the profile says'
      : 'as the profile says, as far as calls show';
  }
  if ((result.contradictions ?? []).length > 0) return 'the witnesses contradict each other';
  return 'could not be determined';
}

/** `12 profiles: 10 as they say, 1 with findings, 1 not determined; 1,800 probes in 12.4 s`. */
export function totalLine({ results, provenance }: VerifyReport, took: (ms: number) => string): string {
  const ok = results.filter(resultIsOk).length;
  const found = results.filter(
    (result) =>
      !resultIsOk(result) &&
      (result.summary.overGrants + result.summary.underGrants > 0 || hasDrifted(result)),
  ).length;
  const probes = results.reduce((sum, { summary }) => sum + summary.probes, 0);
  const open = results.length - ok - found;
  const parts = [
    `${ok} as ${ok === 1 ? 'it says' : 'they say'}`,
    ...(found > 0 ? [`${found} with findings`] : []),
    ...(open > 0 ? [`${open} not determined`] : []),
  ];
  return `${counted(results.length, 'profile')}: ${parts.join(', ')}; ${counted(probes, 'probe')} in ${took(provenance.durationMs)}`;
}
