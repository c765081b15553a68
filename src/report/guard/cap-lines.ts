import { durationText } from '../../core/duration.ts';
import type { GuardSection } from '../../core/profile/guard-section.ts';
import { formatAmount } from '../../core/spend/amount.ts';
import { capName } from '../../core/spend/cap.ts';

/** What a `guard` section lets through and how much, one sentence a line. */
export function capLines(guard: GuardSection): readonly string[] {
  const { caps, unpriced, repeat, accounts, day } = guard;
  const lines = caps.map((cap) => {
    const most = [
      ...cap.amounts.map(formatAmount),
      ...(cap.calls === undefined ? [] : [`${cap.calls} calls`]),
    ];
    return `at most ${most.join(' and ')} ${capName(cap)}${cap.per === 'day' ? ` (${day})` : ''}`;
  });
  if (caps.length === 0) lines.push('no cap: money operations are refused');
  lines.push(
    unpriced.calls === 0
      ? 'no call whose amount nobody can tell'
      : `at most ${unpriced.calls} calls a run whose amount nobody can tell: ${unpriced.of.join(', ')}`,
  );
  if (repeat === 'allow') lines.push('repeats are let through');
  if (accounts.length > 0) lines.push(`connected accounts: ${accounts.join(', ')}`);
  lines.push(`a run key lives at most ${durationText(guard.ttlMs)}`);
  return lines;
}
