import { randomBytes } from 'node:crypto';
import { impossibleId } from '../core/probe/build-probe.ts';
import type { Probe } from '../core/probe/probe.ts';
import type { OpenSession } from '../session/session.ts';

/** One call with an account that cannot exist, which tells a key without any Connect permission from one with some. */
export function connectCheck({ catalog, probeFor }: Pick<OpenSession, 'catalog' | 'probeFor'>): Probe {
  const operation = catalog.operation('balance.retrieve');
  if (operation === undefined) throw new Error('the catalog has no balance.retrieve');
  const account = impossibleId('acct', randomBytes(6).toString('hex'));
  return { ...probeFor(operation), account };
}
