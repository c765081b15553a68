import { describe, expect, it } from 'vitest';
import { TARGETS } from '../../target.ts';
import { UNREAD_TEXT } from '../../verdict/record.ts';
import { DRIFT_KINDS } from '../drift.ts';
import { type FixContext, fixFor, fixForStopped } from './fix.ts';
import type { Cause, Explained } from './permission-finding.ts';

// Each finding says what mends it: one command, or why none can. test/peers/fixes.test.ts runs them.

const CONTEXT: FixContext = {
  profile: 'mine',
  ownFile: true,
  flags: [],
  variable: 'STRIPE_MINE_KEY',
  place: '.keyaudit/keys.env',
  isLasting: true,
  madeFor: null,
  defaultPlace: '.keyaudit/keys.env',
  unseen: [{ reason: 'not-asked' }, { reason: 'no-account' }],
  contradictions: [],
  target: 'sandbox',
};

const FINDING: Explained = {
  kind: 'over-grant',
  weight: 'fails',
  permission: 'charge_write',
  connect: false,
  tier: 'money-out',
  cause: 'extra',
  message: '',
  operations: ['charges.create'],
  evidence: 'strong',
  notes: [],
  drift: [],
  location: { file: 'profiles/mine.yaml', line: 1, column: 1 },
};

const KINDS = {
  extra: ['over-grant'],
  unknown: ['over-grant'],
  broader: ['over-grant'],
  widening: ['over-grant'],
  missing: ['under-grant'],
  impossible: ['under-grant'],
  unanswered: ['inconclusive'],
  accepted: ['accepted'],
  agreement: DRIFT_KINDS,
  'not-seen': ['unseen', 'contradiction'],
} as const satisfies Record<Cause, readonly Explained['kind'][]>;

const REASONS = [undefined, ...Object.keys(UNREAD_TEXT)] as FixContext['recordUnread'][];
const findings: readonly Explained[] = (Object.keys(KINDS) as Cause[]).flatMap((cause) =>
  KINDS[cause].map((kind) => ({ ...FINDING, cause, kind })),
);
const contexts: readonly FixContext[] = TARGETS.flatMap((target) =>
  REASONS.flatMap((recordUnread) =>
    [true, false].flatMap((ownFile) =>
      (['record', 'catalog', 'either'] as const).flatMap((suspect) =>
        ([undefined, 'checks'] as const).map((depth) => ({
          ...CONTEXT,
          target,
          flags: target === 'stripe' ? ['--target', 'stripe', '--live'] : ['--target', target],
          recordUnread,
          ownFile,
          contradictions: [{ operation: 'charges.create', connect: false, suspect }],
          asked: { depth },
        })),
      ),
    ),
  ),
);

describe('fixFor', () => {
  it('gives one command for each kind of finding, or says why there is none', () => {
    const silent = findings.flatMap((finding) =>
      contexts.flatMap((context) => {
        const fix = fixFor(finding, context);
        const { command, text = '' } = fix ?? {};
        const says = command === undefined ? /\bno command\b/.test(text) : command.startsWith('keyaudit ');
        return says ? [] : [`${finding.cause} ${finding.kind}: ${text} ${command}`];
      }),
    );
    expect([...new Set(silent)]).toEqual([]);
  });

  it('says nothing of what is accepted and shuts no gate', () => {
    expect(fixFor({ ...FINDING, cause: 'accepted', kind: 'accepted', weight: 'note' }, CONTEXT)).toBeNull();
  });

  it('asks the same again, with the record as well', () => {
    const asked = { keyEnv: 'A_KEY', depth: 'endpoints', account: 'acct_1', unseen: 'fail' } as const;
    const context = { ...CONTEXT, asked, recordUnread: 'not-asked', lockFile: 'keyaudit.lock.yaml' } as const;
    expect(fixFor({ ...FINDING, cause: 'not-seen', kind: 'unseen' }, context)?.command).toBe(
      'keyaudit verify --profile mine --key-env A_KEY --depth endpoints --account acct_1 --witness both --unseen fail --frozen',
    );
  });

  it.each(['RECORD_UNREAD', 'NETWORK', 'INTERRUPTED'])('asks the same again after %s', (code) => {
    const context = { ...CONTEXT, asked: { depth: 'checks', witness: 'both' } } as const;
    expect(fixForStopped(code, context)?.command).toBe(
      'keyaudit verify --profile mine --depth checks --witness both',
    );
  });
});
