import { durationText } from '../duration.ts';
import type { GuardSection } from '../profile/guard-section.ts';
import { formatAmount } from '../spend/amount.ts';
import { capName } from '../spend/cap.ts';
import type { Change } from './extent.ts';

/** What differs between two `guard` sections. A raised cap is wider, and so is a section that is gone. */
export function guardChanges(before: GuardSection | undefined, after: GuardSection | undefined): Change[] {
  if (before === undefined && after === undefined) return [];
  if (after === undefined) return [change('wider', 'guard', 'The profile has no "guard" section any more.')];
  if (before === undefined) return [change('narrower', 'guard', 'The profile now has a "guard" section.')];
  return [
    ...capChanges(before, after),
    ...ordered('only', before.only, after.only, ['checks', 'asked', 'grant']),
    ...ordered('repeat', before.repeat, after.repeat, ['refuse', 'allow']),
    ...ordered('unknown', before.unknown, after.unknown, ['refuse', 'look-up', 'reserve-rest']),
    ...ordered('intents', before.intents, after.intents, ['create', 'confirm']),
    ...ordered('reads', before.reads, after.reads, ['closed', 'open']),
    ...sized('unpriced.calls', before.unpriced.calls, after.unpriced.calls, String),
    ...sized('ttl', before.ttlMs, after.ttlMs, durationText),
    ...listed('unpriced.of', before.unpriced.of, after.unpriced.of),
    ...listed('accounts', before.accounts, after.accounts),
    ...listed('versions', before.versions, after.versions),
    ...(before.day === after.day
      ? []
      : [change('changed', 'day', `The day of its caps is that of ${after.day}, no more of ${before.day}.`)]),
  ];
}

function change(direction: Change['direction'], name: string, message: string): Change {
  return { direction, subject: 'guard', name, message };
}

/** Each cap by itself: what it limits → how much, and in words. */
function limitsOf({ caps }: GuardSection): Map<string, { most: number; words: string; kind: string }> {
  const limits = new Map<string, { most: number; words: string; kind: string }>();
  const put = (name: string, kind: string, most: number, words: string) => {
    const known = limits.get(name);
    if (known === undefined || most < known.most) limits.set(name, { most, words, kind });
  };
  for (const cap of caps) {
    for (const amount of cap.amounts) {
      put(`${capName(cap)} in ${amount.currency}`, amount.currency, amount.minor, formatAmount(amount));
    }
    if (cap.calls !== undefined) put(`${capName(cap)} in calls`, 'calls', cap.calls, `${cap.calls} calls`);
  }
  return limits;
}

function capChanges(before: GuardSection, after: GuardSection): Change[] {
  const [had, has] = [limitsOf(before), limitsOf(after)];
  const changes: Change[] = [];
  for (const [name, { most, words, kind }] of has) {
    const known = had.get(name);
    if (known !== undefined && known.most === most) continue;
    if (known !== undefined) {
      const direction = most > known.most ? 'wider' : 'narrower';
      changes.push(change(direction, name, `The cap ${name} is ${words}, no more ${known.words}.`));
    } else if (kind === 'calls' || isCovered(before, after, name, kind)) {
      changes.push(change('narrower', name, `A new cap ${name}: ${words}.`));
    } else changes.push(change('wider', name, `What no cap let through may now be moved ${name}: ${words}.`));
  }
  for (const [name, { words }] of had) {
    if (!has.has(name)) changes.push(change('wider', name, `The cap ${name} is gone; it was ${words}.`));
  }
  return changes;
}

/** Whether all that a new cap is about was let through before, by another cap in its currency. */
function isCovered(before: GuardSection, after: GuardSection, name: string, currency: string): boolean {
  const cap = after.caps.find((one) => `${capName(one)} in ${currency}` === name);
  const known = before.caps.filter(({ amounts }) => amounts.some((amount) => amount.currency === currency));
  if (known.some(({ of }) => of.length === 0)) return true;
  return (
    cap !== undefined && cap.of.length > 0 && cap.of.every((one) => known.some(({ of }) => of.includes(one)))
  );
}

function ordered<T extends string>(
  name: string,
  before: T,
  after: T,
  narrowestFirst: readonly T[],
): Change[] {
  if (before === after) return [];
  const direction = narrowestFirst.indexOf(after) > narrowestFirst.indexOf(before) ? 'wider' : 'narrower';
  return [change(direction, name, `"guard.${name}" is ${after}, no more ${before}.`)];
}

function sized(name: string, before: number, after: number, words: (value: number) => string): Change[] {
  if (before === after) return [];
  const message = `"guard.${name}" is ${words(after)}, no more ${words(before)}.`;
  return [change(after > before ? 'wider' : 'narrower', name, message)];
}

function listed(name: string, before: readonly string[], after: readonly string[]): Change[] {
  return [
    ...after
      .filter((one) => !before.includes(one))
      .map((one) => change('wider', name, `"guard.${name}" now has ${one}.`)),
    ...before
      .filter((one) => !after.includes(one))
      .map((one) => change('narrower', name, `"guard.${name}" no longer has ${one}.`)),
  ];
}
