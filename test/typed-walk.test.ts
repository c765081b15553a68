import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Catalog } from '../src/core/catalog/catalog.ts';
import { catalogData } from '../src/core/catalog/data/catalog.ts';
import { DeclaredTypes } from '../src/core/catalog/declared-types.ts';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts';
import { misfits } from '../src/sandbox/state/misfits.ts';
import { CatalogWalk, REFUSED_ON_THE_WALK, type Step, seedOfTheRest } from './support/walk-catalog.ts';

const catalog = new Catalog(catalogData);
const types = new DeclaredTypes();

describe('every operation of the catalog, called with what it requires', () => {
  let sandbox: Sandbox;
  let steps: readonly Step[];

  beforeAll(async () => {
    const { seed, places } = seedOfTheRest({ catalog, types });
    const text = JSON.stringify(seed);
    sandbox = await startSandbox({ catalog, seed: { text, file: 'seed.yaml' } });
    const server = { url: sandbox.url, key: sandbox.secretKey.reveal() };
    steps = await new CatalogWalk(server, { catalog, types, places }).walk();
  });
  afterAll(() => sandbox.close());

  it('is asked for', () => {
    const asked = new Set(steps.map(({ operation }) => operation.name));
    const left = catalog.operations.filter(({ name }) => !asked.has(name));
    // OAuth is for platforms, and answers in a form of its own.
    expect(left.map(({ host }) => host)).toEqual(left.map(() => 'connect'));
  });

  it('goes through, but for what the state of the objects refuses', () => {
    const refused = steps.filter(({ status }) => status !== 200);
    const unforeseen = refused.filter(({ operation }) => REFUSED_ON_THE_WALK[operation.name] === undefined);
    expect(unforeseen.map(({ operation, body }) => [operation.name, body])).toEqual([]);
  });

  it('answers what stripe-node declares, with every field that is required, at every depth', () => {
    const wrong = steps
      .filter(({ status }) => status === 200)
      .flatMap(({ operation, body }) => {
        if (operation.kind === 'delete' && (body as { deleted?: boolean }).deleted === true) return [];
        // More than is declared disturbs no client, and those of older versions want it.
        return misfits(body, types.answerOf(operation.name), types)
          .filter(({ problem }) => problem !== 'unknown')
          .map(({ path, problem }) => `${operation.name}: ${path.join('.')} is ${problem}`);
      });
    expect(wrong).toEqual([]);
  });
});
