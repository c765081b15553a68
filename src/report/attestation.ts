import type { AttestationJudgement } from '../core/result/attestation/judge-attestation.ts';
import type { Statement } from '../core/result/attestation/statement.ts';
import { counted, dayAndTime, paintFor, plain, type TextOutput, wrap } from './text.ts';

/** What a signed statement says, and whether it holds here. */
export interface AttestationReport extends AttestationJudgement {
  readonly file: string;
  readonly keyId: string;
  readonly statement: Statement;
}

/** `attest verify --format json`, schema `keyaudit.attestation/1`. */
export function attestationJson(report: AttestationReport): unknown {
  const { file, keyId, statement, refusals, compared, notCompared } = report;
  return {
    schema: 'keyaudit.attestation/1',
    ok: refusals.length === 0,
    file,
    signedBy: keyId,
    refusals,
    compared,
    notCompared,
    statement,
  };
}

export function renderAttestationTable(report: AttestationReport, output: TextOutput): void {
  const { file, keyId, statement, refusals, compared, notCompared } = report;
  const { predicate } = statement;
  const paint = paintFor(output);
  const hanging = { indent: '    ', first: '  ' };
  output.write(`${paint.bold(plain(file))} ${paint.dim(`signed by ${keyId}`)}\n`);
  output.write(
    wrap(
      `keyaudit ${predicate.keyaudit}, ${dayAndTime(predicate.startedAt)}, target ${predicate.target} (${predicate.apiBase}), depth ${predicate.depth}, catalog ${predicate.catalog}, API version ${predicate.apiVersion}.`,
      output,
      hanging,
    ),
  );
  for (const { profile, key, verdict, summary, unseen } of predicate.results) {
    const words = {
      'as-profile': 'as its profile says',
      findings: 'not as its profile says',
      undetermined: 'not determined',
    }[verdict];
    output.write(
      wrap(
        `${profile}: ${key?.fingerprint ?? 'no key'} ${words}, ${counted(summary.probes, 'probe')}, ${counted(unseen, 'permission')} unseen.`,
        output,
        hanging,
      ),
    );
  }
  if (compared.length > 0)
    output.write(wrap(`Compared with what is here: ${compared.join(', ')}.`, output, hanging));
  if (notCompared.length > 0)
    output.write(wrap(`Not compared, since not here: ${notCompared.join(', ')}.`, output, hanging));
  for (const { code, message } of refusals)
    output.write(paint.red(wrap(`REFUSED ${code}: ${message}`, output, hanging)));
  const verdict = refusals.length === 0 ? paint.green('✔ holds') : paint.red('✘ does not hold');
  output.write(`  ${verdict}\n`);
}
