import { withPlace } from '../../core/next-command.ts';
import { paintFor, type TextOutput, wrap } from '../text.ts';
import { describeRetirement, type Retirement } from './retirement.ts';

/** What became of every key that was to end. */
export interface RevokeReport {
  readonly target: string;
  readonly targetNote: string;
  /** Words that say where a next command is to work. */
  readonly next: readonly string[];
  readonly keys: readonly { readonly profile: string | undefined; readonly retirement: Retirement }[];
}

/** `revoke --format json`, schema `keyaudit.revoke/1`. */
export function revokeJson({ target, targetNote, keys }: RevokeReport): unknown {
  return {
    schema: 'keyaudit.revoke/1',
    target,
    targetNote,
    keys: keys.map(({ profile, retirement }) => ({ profile: profile ?? null, ...retirement })),
  };
}

export function renderRevokeTable({ targetNote, keys, next }: RevokeReport, output: TextOutput): void {
  output.write(paintFor(output).dim(wrap(targetNote, output)));
  for (const { profile, retirement } of keys) {
    const name = profile === undefined ? '' : `${profile} `;
    output.write(
      wrap(withPlace(`${name}${retirement.id} ${describeRetirement(retirement)}`, next), output, {
        indent: '  ',
      }),
    );
  }
}
