import { KeyauditError } from '../../core/error.ts';
import { PAYLOAD_TYPE, statementOf } from '../../core/result/attestation/statement.ts';
import type { VerifyReport } from '../../core/result/verify-report.ts';
import { requireWritable, writeResultFile } from '../../store/result-file.ts';
import type { Session } from '../session.ts';

/** Where a signed statement goes, and the key that signs it; read before the first probe is sent. */
export interface Attestor {
  write(report: VerifyReport): Promise<void>;
}

/**
 * `verify --attest FILE --attest-key SOURCE`.
 * @throws KeyauditError `USAGE` for one without the other, `ATTEST_KEY_UNUSABLE`, `OUTPUT_UNWRITABLE`
 */
export async function openAttestor(
  { attest: file, attestKey }: { readonly attest?: string; readonly attestKey?: string },
  session: Pick<Session, 'cwd' | 'env' | 'redact' | 'globals' | 'project'>,
): Promise<Attestor | undefined> {
  if (file === undefined) return undefined;
  if (attestKey === undefined) {
    throw new KeyauditError('USAGE', '--attest needs a key that signs.', {
      hint: 'Name it with --attest-key FILE or --attest-key exec:COMMAND (KEYAUDIT_ATTEST_KEY); docs/attest.md says how to make one.',
    });
  }
  await requireWritable(session, file);
  const { readSigningKey } = await import('../../store/attest/attest-key.ts');
  const { signEnvelope } = await import('../../store/attest/dsse.ts');
  const key = await readSigningKey(attestKey, session.cwd);
  return {
    write: async (report) => {
      const statement = statementOf(report);
      // Of a run without any key there is nothing to state.
      if (statement === undefined) return;
      const envelope = signEnvelope(JSON.stringify(statement), PAYLOAD_TYPE, key);
      await writeResultFile(session, file, `${JSON.stringify(envelope)}\n`);
    },
  };
}
