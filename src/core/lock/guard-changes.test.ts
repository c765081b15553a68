import { expect, it } from 'vitest';
import { type GuardDocument, guardKeys, guardSection } from '../profile/guard-section.ts';
import { guardChanges } from './guard-changes.ts';

const run = (amount: string, more: object = {}) => ({ per: 'run', amount, ...more }) as const;

it.each<[string, GuardDocument | undefined, GuardDocument | undefined, string[]]>([
  ['nothing', { caps: [run('1 usd')] }, { caps: [run('1.00 usd')] }, []],
  ['a section that is gone', {}, undefined, ['wider guard']],
  ['a new section', undefined, {}, ['narrower guard']],
  ['a raised cap', { caps: [run('1 usd')] }, { caps: [run('2 usd')] }, ['wider per run in usd']],
  ['a lowered cap', { caps: [run('2 usd')] }, { caps: [run('1 usd')] }, ['narrower per run in usd']],
  [
    'a cap that is gone',
    { caps: [run('1 usd'), { per: 'day', amount: '1 usd' }] },
    { caps: [run('1 usd')] },
    ['wider per day in usd'],
  ],
  [
    'one more cap',
    { caps: [run('1 usd')] },
    { caps: [run('1 usd'), { per: 'day', amount: '1 usd' }] },
    ['narrower per day in usd'],
  ],
  [
    'one more currency',
    { caps: [run('1 usd')] },
    { caps: [run('1 usd'), run('1 eur')] },
    ['wider per run in eur'],
  ],
  [
    'one more operation',
    { caps: [run('1 usd', { of: ['refunds.create'] })] },
    { caps: [run('1 usd', { of: ['refunds.create'] }), run('1 usd', { of: ['payouts.create'] })] },
    ['wider per run of payouts.create in usd'],
  ],
  [
    'more calls',
    { caps: [run('1 usd', { calls: 1 })] },
    { caps: [run('1 usd', { calls: 2 })] },
    ['wider per run in calls'],
  ],
  ['a second, looser line', { caps: [run('1 usd')] }, { caps: [run('1 usd'), run('9 usd')] }, []],
  [
    'all else, wider',
    { only: 'checks', repeat: 'refuse', unknown: 'refuse', intents: 'create', ttl: '1h', reads: 'closed' },
    {
      only: 'grant',
      repeat: 'allow',
      unknown: 'look-up',
      intents: 'confirm',
      ttl: '2h',
      reads: 'open',
      accounts: ['acct_1'],
      versions: ['2020-01-01'],
      unpriced: { calls: 1, of: ['coupons.create'] },
    },
    [
      'wider only',
      'wider repeat',
      'wider unknown',
      'wider intents',
      'wider reads',
      'wider unpriced.calls',
      'wider ttl',
      'wider unpriced.of',
      'wider accounts',
      'wider versions',
    ],
  ],
  ['another day', { day: 'UTC' }, { day: 'Europe/Berlin' }, ['changed day']],
])('%s', (_name, before, after, expected) => {
  const section = (document: GuardDocument | undefined) =>
    document === undefined ? undefined : guardSection([guardKeys(document)]);
  const changes = guardChanges(section(before), section(after));
  expect(changes.map(({ direction, name }) => `${direction} ${name}`)).toEqual(expected);
  for (const { message } of changes) expect(message).toMatch(/^[A-Z"].*\.$/);
});
