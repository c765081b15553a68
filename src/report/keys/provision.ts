import { nextCommand } from '../../core/next-command.ts';
import { bothSides, paintFor, type TextOutput, wrap } from '../text.ts';

/** A key as reports tell of it; never its secret. */
export interface ReportedKey {
  readonly id: string;
  readonly profile: string;
  readonly mode: string;
  readonly fingerprint: string;
  readonly variable: string;
  readonly place: string;
  readonly permissions: readonly string[];
  /** For calls with `Stripe-Account`. */
  readonly connectPermissions: readonly string[];
  readonly keyApi: string;
}

/** The keys that `provision` made, and the older ones that still work. */
export interface ProvisionReport {
  readonly target: string;
  readonly targetNote: string;
  readonly made: readonly {
    readonly record: ReportedKey;
    readonly superseded: readonly ReportedKey[];
    /** What names its profile on a command line. */
    readonly word: string;
  }[];
  /** Words that say where a next command is to work. */
  readonly next: readonly string[];
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

export function renderProvisionTable({ targetNote, made, next }: ProvisionReport, output: TextOutput): void {
  const paint = paintFor(output);
  output.write(paint.dim(wrap(targetNote, output)));
  for (const { record, superseded } of made) {
    output.write(
      `${paint.green('✔')} ${paint.bold(record.profile)} ${record.id} ${paint.dim(`${record.mode}, ${record.fingerprint}`)}\n`,
    );
    const hanging = { indent: '    ', first: '  ' };
    output.write(wrap(`${record.variable} in ${record.place}: ${bothSides(record)}`, output, hanging));
    for (const old of superseded) {
      const ends =
        old.keyApi === 'dashboard'
          ? 'delete it in the Dashboard'
          : `"${nextCommand(`keyaudit revoke ${old.id}`, next)}" ends it`;
      const text = `The previous key ${old.id} still works; ${ends}.`;
      output.write(wrap(text, output, hanging));
    }
  }
  const readable = made.filter(({ record }) => !/^(?:exec:|stdout$)/.test(record.place));
  for (const { record } of made.filter((one) => !readable.includes(one))) {
    const text = `Prove ${record.profile} as its agent reads it: set ${record.variable}, or say --key-from exec:COMMAND, with "${nextCommand(`keyaudit verify ${record.profile}`, next)}".`;
    output.write(wrap(text, output));
  }
  if (readable.length === 0) return;
  const words = readable.map(({ word }) => word).join(' ');
  const command = nextCommand(`keyaudit verify ${words}`, next);
  output.write(`Prove ${readable.length === 1 ? 'it' : 'them'}: ${command}\n`);
}
