import { paintFor, type TextOutput, wrap } from '../text.ts';

/** A key as reports tell of it; never its secret. */
export interface ReportedKey {
  readonly id: string;
  readonly profile: string;
  readonly mode: string;
  readonly fingerprint: string;
  readonly variable: string;
  readonly place: string;
  readonly permissions: readonly string[];
  readonly keyApi: string;
}

/** The keys that `provision` made, and the older ones that still work. */
export interface ProvisionReport {
  readonly target: string;
  readonly targetNote: string;
  readonly made: readonly { readonly record: ReportedKey; readonly superseded: readonly ReportedKey[] }[];
}

/** `provision --format json`, schema `keyaudit.provision/1`. */
export function provisionJson({ target, targetNote, made }: ProvisionReport): unknown {
  return {
    schema: 'keyaudit.provision/1',
    target,
    targetNote,
    keys: made.map(({ record, superseded }) => ({ ...record, superseded: superseded.map((old) => old.id) })),
  };
}

export function renderProvisionTable({ targetNote, made }: ProvisionReport, output: TextOutput): void {
  const paint = paintFor(output);
  output.write(paint.dim(wrap(targetNote, output)));
  for (const { record, superseded } of made) {
    output.write(
      `${paint.green('✔')} ${paint.bold(record.profile)} ${record.id} ${paint.dim(`${record.mode}, ${record.fingerprint}`)}\n`,
    );
    const hanging = { indent: '    ', first: '  ' };
    output.write(
      wrap(`${record.variable} in ${record.place}: ${record.permissions.join(', ')}`, output, hanging),
    );
    for (const old of superseded) {
      const ends =
        old.keyApi === 'dashboard' ? 'delete it in the Dashboard' : `"keyaudit revoke ${old.id}" ends it`;
      const text = `The previous key ${old.id} still works; ${ends}.`;
      output.write(wrap(text, output, hanging));
    }
  }
  output.write(
    `Prove ${made.length === 1 ? 'it' : 'them'}: keyaudit verify ${made.length === 1 ? `--profile ${made[0]?.record.profile}` : '--all'}\n`,
  );
}
