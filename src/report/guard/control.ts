import { formatAmount } from '../../core/spend/amount.ts';
import type { GuardStatus, Killed } from '../../core/spend/guard-status.ts';
import type { KillTarget } from '../../core/spend/log-row.ts';
import { counted, inWords, paintFor, type TextOutput, wrap } from '../text.ts';

/** `guard kill --format json`, schema `keyaudit.guard-kill/1`. Amounts in minor units, times in ms. */
export function killJson(killed: Killed & { readonly target: KillTarget }, more: object = {}): unknown {
  const { target, epoch, refusedFrom, writtenMs, unwritten, calls, isQuiet, quietMs } = killed;
  return {
    schema: 'keyaudit.guard-kill/1',
    target,
    epoch,
    refusedFrom: new Date(refusedFrom).toISOString(),
    writtenMs: rounded(writtenMs),
    unwritten,
    calls,
    allEnded: isQuiet,
    quietMs: rounded(quietMs),
    ...more,
  };
}

export function killTable(
  killed: Killed & { readonly target: KillTarget },
  revoked: readonly string[],
  output: TextOutput,
): void {
  const { target, epoch, writtenMs, unwritten, calls, isQuiet, quietMs } = killed;
  const paint = paintFor(output);
  output.write(
    `${paint.green('✔')} ${paint.bold(targetText(target))} is refused from now on (epoch ${epoch})\n`,
  );
  const indent = { indent: '  ', first: '  ' };
  if (unwritten === undefined) output.write(wrap(`On disk after ${rounded(writtenMs)} ms.`, output, indent));
  else {
    const text = `It is not on disk (${unwritten}): it holds as long as this guard runs, and no longer.`;
    output.write(wrap(paint.yellow(text), output, indent));
  }
  if (calls.length === 0) output.write(wrap('Nothing of it was on its way to Stripe.', output, indent));
  for (const { run, operation, amount, currency, reservation, ended } of calls) {
    const money =
      amount === undefined || currency === undefined ? '' : ` ${formatAmount({ minor: amount, currency })}`;
    const id = reservation === undefined ? '' : `, ${reservation}`;
    output.write(
      wrap(`was at Stripe: ${operation}${money} (run ${run}${id}): ${ended ?? 'goes on'}`, output, indent),
    );
  }
  if (calls.length > 0) {
    output.write(
      wrap(
        isQuiet ? `All of it had ended after ${inWords(quietMs)}.` : 'Not all of it has ended yet.',
        output,
        indent,
      ),
    );
  }
  for (const line of revoked) output.write(wrap(line, output, indent));
}

/** `guard status --format json`, schema `keyaudit.guard-status/1`. */
export function statusJson(status: GuardStatus): unknown {
  return { schema: 'keyaudit.guard-status/1', ...status };
}

export function statusTable(status: GuardStatus, output: TextOutput): void {
  const paint = paintFor(output);
  const { url, epoch, killed, failure, runs, held, pending, counters, onTheirWay, profiles } = status;
  output.write(
    `${paint.bold(url)} ${paint.dim(`epoch ${epoch}, ${counted(onTheirWay, 'call')} on the way`)}\n`,
  );
  output.write(
    wrap(`serves ${profiles.map(({ profile, mode }) => `${profile} (${mode})`).join(', ')}`, output),
  );
  if (failure !== undefined) output.write(wrap(paint.red(`refuses money: ${failure}`), output));
  for (const target of killed) output.write(wrap(paint.red(`killed: ${targetText(target)}`), output));
  for (const { run, profile, state, expiresAt } of runs) {
    output.write(wrap(`run ${run} of ${profile}: ${state}, until ${expiresAt}`, output));
  }
  for (const { reservation, operation, amount, currency, since } of held) {
    const money =
      amount === undefined || currency === undefined ? '' : formatAmount({ minor: amount, currency });
    const text = `held: ${operation} ${money} since ${since} (${reservation}); "keyaudit guard reconcile" finds out`;
    output.write(wrap(paint.yellow(text), output));
  }
  if (pending > 0)
    output.write(wrap(`${counted(pending, 'payment')} on the way can still come back`, output));
  for (const [counter, used] of Object.entries(counters))
    output.write(wrap(paint.dim(`${counter}: ${used}`), output));
}

function targetText(target: KillTarget): string {
  return target.of === 'all' ? 'every run' : `${target.of} ${target.name}`;
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
