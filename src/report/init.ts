import { nextCommand } from '../core/next-command.ts';
import { acceptanceReason } from '../core/result/findings/fix.ts';
import { shellWord } from '../core/shell-word.ts';
import { paintFor, type TextOutput, wrap } from './text.ts';

/** What `init` did, and what is left to do. */
export interface InitReport {
  readonly profile: string;
  readonly variable: string;
  readonly written: readonly string[];
  readonly notLocked:
    | { readonly why: string; readonly key: 'none' | 'made' | 'old'; readonly isWider: boolean }
    | undefined;
  /** Writes that come along and that nobody has accepted. */
  readonly toAccept: readonly string[];
  /** The permissions that they come along with. */
  readonly toAcceptWith: readonly string[];
  /** The gate for CI, if there is one; with the line that it lacks where it was left as it was. */
  readonly gate: { readonly file: string; readonly lacks: string | undefined } | undefined;
  /** Words such as `--target sandbox`, without which a next command would go elsewhere. */
  readonly sandbox: readonly string[];
}

/** `init --format json`, schema `keyaudit.init/1`. */
export function initJson(report: InitReport): unknown {
  const { profile, variable, written, notLocked, gate } = report;
  return {
    schema: 'keyaudit.init/1',
    profile,
    variable,
    written,
    notLocked: notLocked === undefined ? null : whyNot(notLocked),
    gateLacks: gate?.lacks ?? null,
    next: nextAfterInit(report).map(({ command }) => command),
  };
}

/** What is to be done next, in turn, each with the command for it. */
function nextAfterInit({ profile, notLocked, toAccept, toAcceptWith, sandbox }: InitReport) {
  const next: { readonly what: string; readonly command: string }[] = [
    { what: 'Look at what it comes to', command: `keyaudit plan ${profile}` },
  ];
  if (notLocked !== undefined) {
    if (toAccept.length > 0) {
      next.push({
        what: 'Accept what comes along, in words of your own, or ask for less',
        command: `keyaudit profiles accept ${profile} ${toAccept.join(' ')} --reason ${shellWord(acceptanceReason(toAcceptWith.join(' and ')))}`,
      });
    }
    const steps = [
      ...(notLocked.key === 'made'
        ? []
        : [`keyaudit provision ${profile}${notLocked.key === 'old' ? ' --again' : ''}`]),
      `keyaudit lock ${profile}`,
    ].map((step) => nextCommand(step, sandbox));
    next.push({ what: 'Then lock it', command: steps.join(' && ') });
  }
  next.push({
    what: 'Make its key at Stripe, with STRIPE_SECRET_KEY set',
    command: `keyaudit provision ${profile} --target stripe`,
  });
  return next;
}

function whyNot({ why, isWider }: NonNullable<InitReport['notLocked']>): string {
  return isWider ? `${why}, so accept that in the profile, or ask for less.` : why;
}

/** For a person. @param lockFile its name */
export function renderInit(report: InitReport, lockFile: string, output: TextOutput): void {
  const { written, notLocked, gate, variable } = report;
  const paint = paintFor(output);
  const say = (text: string) => output.write(wrap(text, output, { indent: '    ', first: '  ' }));
  for (const file of written) output.write(`${paint.green('✔')} ${file}\n`);
  if (notLocked !== undefined) say(`${lockFile} has no entry for it yet: ${whyNot(notLocked)}`);
  for (const { what, command } of nextAfterInit(report)) {
    say(`${what}:`);
    // Never broken, so that it can be copied.
    output.write(`    ${command}\n`);
  }
  if (gate === undefined) return;
  if (gate.lacks !== undefined) say(`${gate.file} stays as it was. It lacks: ${gate.lacks}`);
  say(`Give CI the key in ${variable}, and commit these files.`);
}
