import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { KeyauditError } from '../../src/core/error.ts';
import { resolveGrant } from '../../src/core/grant/grant.ts';
import { readProfile } from '../../src/core/profile/read-profile.ts';
import { resolveProfile } from '../../src/core/profile/resolve-profile.ts';
import { Chance, SEED } from './chance.ts';

const PROFILES = Number(process.env.KEYAUDIT_FUZZ_PROFILES ?? 1_500);
const catalog = new Catalog(catalogData);

const shipped = new URL('../../profiles/', import.meta.url);
const seeds = readdirSync(shipped).map((name) => readFileSync(new URL(name, shipped), 'utf8'));

const TOKENS = [
  'null',
  '~',
  '[]',
  '{}',
  '- ',
  ': ',
  '? ',
  '&a ',
  '*a',
  '*b',
  '!!binary x',
  '!!set {}',
  '!!js/function x',
  '!x ',
  '<<: *a',
  '__proto__: { charges: write }',
  'constructor: x',
  '.inf',
  '.nan',
  '0x1F',
  '2027-02-30',
  '1e999',
  '"',
  "'",
  '|\n',
  '>-\n',
  '%YAML 1.2\n---\n',
  '---\n',
  '...\n',
  '#',
  '\t',
  '\0',
  '\u2028',
  '\uFEFF',
  '🙂',
  'write',
  'read',
  'none',
  'name:',
  'permissions:',
  'extends: a',
  'extends: [a]',
  'charges: read',
  'charge_write: write',
  'accept:',
  'checks:',
  'until: 2020-01-01',
  'rate: -1',
  'only: [x]',
] as const;

function mutatedYaml(chance: Chance): string {
  let text = chance.of(seeds);
  for (let changes = 1 + chance.upTo(6); changes > 0; changes--) {
    const at = chance.upTo(text.length + 1);
    const lines = text.split('\n');
    const line = chance.upTo(lines.length);
    switch (chance.upTo(9)) {
      case 0:
        text = text.slice(0, at);
        break;
      case 1:
        text = text.slice(0, at) + chance.of(TOKENS) + text.slice(at);
        break;
      case 2:
        text = text.slice(0, at) + chance.text(6) + text.slice(at + chance.upTo(6));
        break;
      case 3:
        text = lines.toSpliced(line, 1).join('\n');
        break;
      case 4:
        text = lines.toSpliced(line, 0, lines[chance.upTo(lines.length)] ?? '').join('\n');
        break;
      case 5:
        text = lines.with(line, ' '.repeat(chance.upTo(8)) + (lines[line] ?? '').trim()).join('\n');
        break;
      case 6:
        text = (lines[line] ?? '').includes(':')
          ? lines.with(line, `${(lines[line] ?? '').split(':')[0]}: ${chance.of(TOKENS)}`).join('\n')
          : `${text}\n${chance.of(TOKENS)}`;
        break;
      case 7:
        text = text.replaceAll(chance.of(['read', 'write', 'name', 'reason', ', ', ': ']), chance.of(TOKENS));
        break;
      default:
        if (chance.is(0.2)) text += '['.repeat(chance.upTo(2_000));
    }
  }
  return text;
}

describe('random YAML', () => {
  it('is read, or refused with a place, and nothing else', () => {
    const chance = new Chance(SEED);
    const outcomes = { good: 0, bad: 0, thrown: 0 };
    for (let left = PROFILES; left > 0; left--) {
      const text = mutatedYaml(chance);
      try {
        const reading = readProfile(text, 'fuzz.yaml', catalog);
        if (!reading.ok) {
          outcomes.bad++;
          const odd = reading.problems.some(
            ({ location, message }) => (location?.line ?? 1) < 1 || message === '',
          );
          if (odd || reading.problems.length === 0) throw new Error('a problem without a place or a message');
          if (reading.problems.length > text.split('\n').length + 10) throw new Error('a flood of problems');
          continue;
        }
        outcomes.good++;
        const grant = resolveGrant(
          resolveProfile(reading.profile, () => undefined),
          catalog,
          '2026-11-23',
        );
        for (const name of grant.permissions) expect(catalog.permission(name)).toBeDefined();
      } catch (error) {
        if (!(error instanceof KeyauditError)) {
          throw new Error(`seed ${SEED}: ${JSON.stringify(text.slice(0, 3_000))}`, { cause: error });
        }
        outcomes.thrown++;
      }
    }
    expect(outcomes.good).toBeGreaterThan(PROFILES / 50);
    expect(outcomes.bad + outcomes.thrown).toBeGreaterThan(PROFILES / 2);
    expect(Object.prototype).not.toHaveProperty('charges');
  });
});
