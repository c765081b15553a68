import { describe, expect, it } from 'vitest';
import { acceptanceEdit, withInsertion } from './acceptance-edit.ts';

const NEW = {
  operations: ['charges.create', 'charges.capture'],
  reason: 'Stripe grants it only together with charge_write',
};
const HEAD = 'name: agent\npermissions:\n  refunds: write # why not\n';

describe('acceptanceEdit', () => {
  it.each<[what: string, text: string, edited: string]>([
    [
      'a profile that accepts nothing yet',
      HEAD,
      `${HEAD}accept:\n  - operations: [charges.create, charges.capture]\n    reason: ${NEW.reason}\n`,
    ],
    [
      'one that accepts something',
      `${HEAD}accept: # knowingly\n  - operations: [charges.update]\n    reason: Old\nrate: 5\n`,
      `${HEAD}accept: # knowingly\n  - operations: [charges.create, charges.capture]\n    reason: ${NEW.reason}\n  - operations: [charges.update]\n    reason: Old\nrate: 5\n`,
    ],
    [
      'a list that is not indented',
      `accept:\n- operations: [charges.update]\n  reason: Old\n${HEAD}`,
      `accept:\n- operations: [charges.create, charges.capture]\n  reason: ${NEW.reason}\n- operations: [charges.update]\n  reason: Old\n${HEAD}`,
    ],
  ])('%s', (_what, text, edited) => {
    const edit = acceptanceEdit(text, NEW);
    expect(edit && withInsertion(text, edit)).toBe(edited);
  });

  it.each<[what: string, text: string]>([
    ['a list on one line', `${HEAD}accept: [{ operations: [charges.update], reason: Old }]\n`],
    ['an empty list', `${HEAD}accept: []\n`],
    ['a profile on one line', '{ name: agent, permissions: { refunds: write } }\n'],
    ['no line break at the end', HEAD.trimEnd()],
    ['broken YAML', 'name: [agent\n'],
    ['no profile', '- a\n'],
    ['a text that ends in one of many lines', `${HEAD}description: |\n  many\n\n  lines`],
  ])('leaves alone what lines cannot mend: %s', (_what, text) => {
    expect(acceptanceEdit(text, NEW)).toBeUndefined();
  });

  it.each(['a: b # c', '"quoted"', 'line\nbreak', '- dash', '{{x}}', 'ünicode\u2028'])(
    'writes any reason: %j',
    (reason) => {
      const edit = acceptanceEdit(HEAD, { ...NEW, reason, until: '2027-06-30' });
      expect(edit?.insert).toContain('until: 2027-06-30');
      expect(edit?.insert.split('\n')).toHaveLength(5);
    },
  );
});
