import { describe, expect, it } from 'vitest';
import { Catalog } from '../catalog/catalog.ts';
import { catalogData } from '../catalog/data/catalog.ts';
import { readProfile } from './read-profile.ts';

const catalog = new Catalog(catalogData);

/** `line:column message → hint` of every problem, in order. */
function problemsOf(text: string): string[] {
  const reading = readProfile(text, 'p.yaml', catalog);
  return reading.ok
    ? []
    : reading.problems.map(
        ({ location, message, hint }) => `${location?.line}:${location?.column} ${message} → ${hint ?? ''}`,
      );
}

const rows: readonly [name: string, text: string, problems: readonly string[]][] = [
  ['a small good profile', 'name: a\npermissions:\n  charges: read\n', []],
  ['all that the language has', everything(), []],
  ['an empty file', '', ['1:1 A profile must be a map, not empty. → Begin with "name:" and "permissions:".']],
  ['a list', '- a\n', ['1:1 A profile must be a map, not a list. → Begin with "name:" and "permissions:".']],
  [
    'no name',
    'permissions: {}\n',
    ['1:1 "name" is missing. → Add "name:", the name of the archetype, such as "name: refund-agent".'],
  ],
  [
    'an unknown key',
    'name: a\npermisions:\n  charges: read\n',
    ['2:1 Unknown key "permisions". → Did you mean "permissions"?'],
  ],
  [
    'an unknown key far from all',
    'name: a\nzzz: 1\n',
    [
      '2:1 Unknown key "zzz". → Valid keys: name, description, env, extends, permissions, connect_permissions, checks, accept, widening, only, rate, guard.',
    ],
  ],
  [
    'an unknown resource',
    'name: a\npermissions:\n  refund: write\n',
    ['3:3 Unknown resource "refund". → Did you mean "refunds"?'],
  ],
  [
    'a resource as the Dashboard writes it',
    'name: a\npermissions:\n  Payment Intents: write\n',
    ['3:3 Unknown resource "Payment Intents". → Did you mean "payment_intents"?'],
  ],
  [
    'an unknown level',
    'name: a\npermissions:\n  charges: reed\n',
    [
      '3:12 "reed" is not a level (permissions.charges). → Did you mean "read"? Levels are none, read and write.',
    ],
  ],
  [
    'an unknown level in the long form',
    'name: a\npermissions:\n  charges: { level: wrte }\n',
    [
      '3:21 "wrte" is not valid for permissions.charges.level. → Did you mean "write"? Valid: none, read, write.',
    ],
  ],
  [
    'no level in the long form',
    'name: a\npermissions:\n  charges: { why: because }\n',
    ['3:12 "level" is missing in permissions.charges. → Add "level: none", "read" or "write".'],
  ],
  [
    'an unknown key in the long form',
    'name: a\npermissions:\n  charges: { level: read, wy: x }\n',
    ['3:27 Unknown key "wy" in permissions.charges. → Did you mean "why"?'],
  ],
  [
    'an unknown operation',
    'name: a\nchecks:\n  allow: [charge.list]\n',
    ['3:11 Unknown operation "charge.list". → Did you mean "charges.list"?'],
  ],
  [
    'a scope instead of a permission',
    'name: a\npermissions:\n  rak_charge_read: read\n',
    ['3:3 "rak_charge_read" is the older spelling of a permission. → Write "charge_read".'],
  ],
  [
    'a raw permission at the wrong level',
    'name: a\npermissions:\n  charge_read: write\n',
    ['3:3 The permission charge_read has level read, not write. → Write "charge_read: read".'],
  ],
  [
    'a key where its variable belongs',
    'name: a\nenv: rk_test_51AbCdEf0123\n',
    [
      '2:6 env is a key, or the id of one, where the name of a variable belongs. → Write the name of the variable, such as STRIPE_REFUND_AGENT_KEY. If a real key stood here, change it: this file is read by others.',
    ],
  ],
  [
    'a variable with a dash',
    'name: a\nenv: MY-KEY\n',
    [
      '2:6 env is not valid: a variable name such as STRIPE_REFUND_AGENT_KEY. → A variable name such as STRIPE_REFUND_AGENT_KEY.',
    ],
  ],
  [
    'a variable that every shell reads',
    'name: a\nenv: Path\n',
    [
      '2:6 env names Path (PATH), which is taken: the system and every shell read it. → Write a name of its own for this agent, such as STRIPE_REFUND_AGENT_KEY.',
    ],
  ],
  [
    'a bad date',
    'name: a\naccept:\n  - { operations: [charges.create], reason: x, until: tomorrow }\n',
    ['3:55 accept[0].until is not valid: Invalid ISO date. → Write a date as YYYY-MM-DD.'],
  ],
  [
    'no reason',
    'name: a\naccept:\n  - operations: [charges.create]\n',
    ['3:5 "reason" is missing in accept[0]. → Say why this widening is acceptable: "reason: …".'],
  ],
  [
    'broken YAML',
    'name: [a\n',
    [
      '2:1 The YAML is broken: flow sequence in block collection must be sufficiently indented and end with a ]. → Check indentation, colons and quotes around here.',
    ],
  ],
  [
    'the same key twice',
    'name: a\nname: b\n',
    ['2:1 The YAML is broken: map keys must be unique. → Write each key once.'],
  ],
  [
    'a tag',
    'name: !!binary x\npermissions: {}\n',
    [
      '1:7 The YAML is broken: unresolved tag: tag:yaml.org,2002:binary. → Remove the tag, the word that begins with "!".',
    ],
  ],
  [
    'two mistakes, in their order',
    'name: a\npermissions:\n  chrges: read\n  customers: wirte\n',
    [
      '3:3 Unknown resource "chrges". → Did you mean "charges"?',
      '4:14 "wirte" is not a level (permissions.customers). → Did you mean "write"? Levels are none, read and write.',
    ],
  ],
];

function everything(): string {
  return `name: a
description: x
env: STRIPE_A_KEY
extends: [b, ./c.yaml]
permissions:
  charges: { level: read, why: y }
  issuing/cards: write
  transaction_read: read
connect_permissions:
  charges: read
checks:
  allow: [charges.list, payment_intents.create, "GET /v1/charges/:id"]
  forbid: [subscription_items.delete]
accept:
  - { operations: [charges.capture], reason: z, until: 2027-06-30 }
widening: strict
only: false
rate: 10
`;
}

const TAKEN =
  `PATH HOME SHELL IFS BASH_ENV ENV PROMPT_COMMAND LD_PRELOAD LD_LIBRARY_PATH DYLD_INSERT_LIBRARIES
  NODE_OPTIONS NODE_EXTRA_CA_CERTS npm_config_registry PYTHONPATH PYTHONSTARTUP RUBYOPT PERL5OPT JAVA_TOOL_OPTIONS
  GIT_SSH_COMMAND DOCKER_HOST AWS_SECRET_ACCESS_KEY GITHUB_TOKEN HTTPS_PROXY no_proxy SSL_CERT_FILE KEYAUDIT_LIVE
  KEYAUDIT_API_BASE NO_COLOR XDG_CONFIG_HOME TMPDIR`.split(/\s+/);
const FREE =
  'STRIPE_REFUND_AGENT_KEY A _a K1 PATHWAY_KEY HOMEPAGE_STRIPE_KEY MY_NODE_OPTIONS_KEY stripe_key'.split(' ');

describe('env:', () => {
  it.each(TAKEN)('%s is taken', (name) => {
    expect(problemsOf(`name: a\nenv: ${name}\n`)).toEqual([expect.stringContaining('which is taken')]);
  });
  it.each(FREE)('%s is free', (name) => {
    expect(problemsOf(`name: a\nenv: ${name}\n`)).toEqual([]);
  });
});

describe('readProfile', () => {
  it.each(rows)('%s', (_name, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  it('names operations canonically, whatever their spelling', () => {
    const reading = readProfile(everything(), 'p.yaml', catalog);
    expect(reading.ok && reading.profile.allow.map((check) => check.operation)).toEqual([
      'charges.list',
      'paymentIntents.create',
      'charges.retrieve',
    ]);
    expect(reading.ok && reading.profile.forbid.map((check) => check.operation)).toEqual([
      'subscriptionItems.del',
    ]);
  });
});
