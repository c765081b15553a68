import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { STRIPE_MOCK_VERSION } from '../../src/targets/stripe-mock.ts';
import { findPeer, findStripeMock, PEERS } from '../support/peer.ts';
import { type Step, walkSandbox } from '../support/walk-catalog.ts';

const go = await findPeer('walk', "the sandbox's answers read by stripe-go", [join(PEERS, 'stripe-go/bin')]);
const mock = await findStripeMock("the sandbox's answers by the description that stripe-mock has of them");

let steps: readonly Step[];
beforeAll(async () => {
  if (go.missing && mock.missing) return;
  steps = (await walkSandbox()).steps.filter(({ status }) => status === 200);
});

/** Of previews, or gone from the API that stripe-go 85 is for: it has no type of that name. */
const UNKNOWN_TO_STRIPE_GO =
  /no type for "(?:apps\.install|exchange_rate|tax\.location|three_d_secure\.authentication|v2\.core\.event|product_catalog\.trial_offer|billing\.feedback_option|v2\.(?:commerce|core\.vault|money_management)\.\w+)"/;

describe.skipIf(go.missing)('stripe-go', () => {
  it('reads what every operation answers into its types', async () => {
    const lines = steps.map(({ operation, body }) => JSON.stringify({ operation: operation.name, body }));
    const run = await execa(go.file, { input: lines.join('\n') });
    expect(Number(run.stderr)).toBe(steps.length);
    const wrong = run.stdout.split('\n').filter((line) => line !== '' && !UNKNOWN_TO_STRIPE_GO.test(line));
    expect(wrong).toEqual([]);
  });
});

/** OpenAPI 3.0 says of any schema that it may be null; JSON Schema has a type for it. */
function withNull(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('nullable' in value)) return value;
  const { nullable, ...rest } = value;
  return nullable === true ? { anyOf: [rest, { type: 'null' }] } : rest;
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Where the description and the SDK that the catalog is made from differ, and what the walk brings about. */
const DIFFERS: readonly (readonly [operation: RegExp, difference: RegExp, why: string])[] = [
  [/^invoices\./, /amount_paid_off_stripe/, 'the SDK does not have it'],
  [
    /^radar\.paymentEvaluations\./,
    /'events'|score must be number/,
    'the SDK has no events, and a score that is a text',
  ],
  [/^billing\.creditBalanceTransactions\.list$/, /data\/url/, 'the description has the URL of another list'],
  [/^invoices\.createPreview$/, /data\/customer must /, 'the walk previews an invoice for nobody'],
  [/^events\.retrieve$/, /data\/data must be object/, 'the event of the walk is about nothing'],
];

describe.skipIf(mock.missing)("stripe-mock's description of the API", () => {
  it('is what every operation answers that it has', async () => {
    const { stdout: cache } = await execa('go', ['env', 'GOMODCACHE']);
    const folder = join(cache, `github.com/stripe/stripe-mock@${STRIPE_MOCK_VERSION}`);
    const text = readFileSync(join(folder, 'embedded/openapi/spec3.json'), 'utf8');
    const description = JSON.parse(text, withNull) as Description;
    const ajv = new Ajv({ strict: false, logger: false, validateFormats: false, allErrors: true });
    ajv.addSchema(description, 'api');
    const paths = new Map(
      Object.keys(description.paths).map((path) => [path.replaceAll(/\{\w+\}/g, '{id}'), path]),
    );
    let compared = 0;
    const wrong: string[] = [];
    for (const { operation, body } of steps) {
      const path = paths.get(operation.path);
      const method = operation.method.toLowerCase();
      if (path === undefined || description.paths[path]?.[method] === undefined) continue;
      // A PDF is not described.
      if (typeof body !== 'object' || /\/pdf$/.test(path)) continue;
      const place = [path, method, 'responses', '200', 'content', 'application/json', 'schema'];
      const pointer = place.map((step) => step.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
      const validate: ValidateFunction = ajv.compile({ $ref: `api#/paths/${encodeURI(pointer)}` });
      compared++;
      if (validate(body) === true) continue;
      const known = DIFFERS.filter(([name]) => name.test(operation.name));
      const differences = (validate.errors ?? [])
        .map(({ instancePath, message }) => `data${instancePath} ${message}`)
        .filter((text) => !known.some(([, difference]) => difference.test(text)));
      // A wrong member of several makes the whole wrong: only the first cause is told.
      const causes = differences.filter(
        (text) => !/must match (?:exactly one|a) schema|must be (?:null|string)$/.test(text),
      );
      if (differences.length > 0)
        wrong.push(`${operation.name}: ${(causes.length > 0 ? causes : differences).slice(0, 3)}`);
    }
    expect(compared).toBeGreaterThan(500);
    expect(wrong).toEqual([]);
  });
});
