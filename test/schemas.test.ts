import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderConfigSchema } from '../scripts/config-schema.ts';
import { renderPolicySchema } from '../scripts/policy-schema.ts';
import { renderProfileSchema } from '../scripts/profile-schema.ts';
import { renderSeedSchema } from '../scripts/seed-schema.ts';
import { Catalog } from '../src/core/catalog/catalog.ts';
import { catalogData } from '../src/core/catalog/data/catalog.ts';
import { startSandbox } from '../src/sandbox/sandbox.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const catalog = new Catalog(catalogData);

function validator(file: string) {
  const ajv = new Ajv({ allErrors: true, strict: false });
  formats.default(ajv);
  return ajv.compile(JSON.parse(read(file)));
}

const pathsOf = (errors: typeof Ajv.prototype.errors) =>
  errors?.map(({ instancePath }) => instancePath).join(' ');

describe.each([
  ['schema/profile.schema.json', renderProfileSchema],
  ['schema/policy.schema.json', renderPolicySchema],
  ['schema/config.schema.json', renderConfigSchema],
  ['schema/seed.schema.json', renderSeedSchema],
])('%s', (file, render) => {
  it('is what "npm run catalog" writes', () => {
    expect(read(file) === render(catalog), `${file} is stale: run "npm run catalog"`).toBe(true);
  });
});

describe('the schema of profiles', () => {
  const validate = validator('schema/profile.schema.json');

  it.each(readdirSync(join(root, 'profiles')))('takes the shipped %s', (file) => {
    expect(validate(parse(read(`profiles/${file}`))), pathsOf(validate.errors)).toBe(true);
  });

  it.each([
    ['a resource', 'name: a\npermissions: { charge: read }'],
    ['a level', 'name: a\npermissions: { charges: reed }'],
    ['an operation', 'name: a\nchecks: { allow: [charge.list] }'],
    ['a key', 'name: a\npermission: {}'],
  ])('refuses a wrong %s', (_what, text) => {
    expect(validate(parse(text))).toBe(false);
  });
});

describe('the schema of seeds', () => {
  const validate = validator('schema/seed.schema.json');
  const shown = /```yaml\n([\s\S]*?)```/.exec(read('docs/fidelity.md'))?.[1] ?? '';

  it('takes the seed of docs/fidelity.md, and so does the sandbox, whose calls then run as written', async () => {
    expect(validate(parse(shown)), pathsOf(validate.errors)).toBe(true);
    const sandbox = await startSandbox({ catalog, seed: { text: shown, file: 'seed.yaml' } });
    const calls = [...read('docs/fidelity.md').matchAll(/^curl -u "\$KEY:" (.*)$/gm)].map(
      ([, call]) => call ?? '',
    );
    expect(calls).toHaveLength(4);
    for (const call of calls) {
      const fields = [...call.matchAll(/ -d (\S+)/g)].map(([, field]) => field).join('&');
      const isRead = call.startsWith('-G ') || fields === '';
      const path = /http:\/\/127\.0\.0\.1:4242(\S+)/.exec(call)?.[1] ?? '';
      const response = await fetch(`${sandbox.url}${path}${isRead ? `?${fields}` : ''}`, {
        method: /-X (\w+)/.exec(call)?.[1] ?? (isRead ? 'GET' : 'POST'),
        headers: { authorization: `Bearer ${sandbox.secretKey.reveal()}` },
        ...(isRead ? {} : { body: new URLSearchParams(fields) }),
      });
      const body = (await response.json()) as { data?: unknown[] };
      expect([response.status, call]).toEqual([200, call]);
      if (body.data !== undefined) expect(body.data).toHaveLength(1);
    }
    await sandbox.close();
  });

  it.each([
    ['a collection', 'customer: []'],
    ['a field', 'customers: [{ emial: a }]'],
    ['a value', 'products: [{ name: a, active: 7 }]'],
  ])('refuses a wrong %s', (_what, text) => {
    expect(validate(parse(text))).toBe(false);
  });
});

describe('the schema of policies', () => {
  const validate = validator('schema/policy.schema.json');

  it.each<[string, string, boolean]>([
    [
      'all that there is',
      `deny: { operations: [payouts.create, POST /v1/topups], permissions: [payout_write], risks: [money-out] }
require: { why: writes, until: accepts, maxKeyAge: 90d }
except: [{ profile: a, deny: [money-out, charge_write, refunds.create], reason: r, until: 2027-01-01 }]`,
      true,
    ],
    ['a wrong operation', 'deny: { operations: [payout.create] }', false],
    ['a wrong permission', 'deny: { permissions: [payouts_write] }', false],
    ['a wrong tier', 'deny: { risks: [other] }', false],
    ['a wrong age', 'require: { maxKeyAge: 90 }', false],
    ['a wrong key', 'denies: {}', false],
  ])('%s', (_what, text, valid) => {
    expect(validate(parse(text)), pathsOf(validate.errors)).toBe(valid);
  });
});
