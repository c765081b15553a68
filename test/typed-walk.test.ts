import { beforeAll, describe, expect, it } from 'vitest';
import { misfits } from '../src/sandbox/state/misfits.ts';
import { REFUSED_ON_THE_WALK, walkSandbox } from './support/walk-catalog.ts';

describe('every operation of the catalog, called with what it requires', () => {
  let walk: Awaited<ReturnType<typeof walkSandbox>>;

  beforeAll(async () => {
    walk = await walkSandbox();
  });

  it('is asked for', () => {
    const { catalog, steps } = walk;
    const asked = new Set(steps.map(({ operation }) => operation.name));
    const left = catalog.operations.filter(({ name }) => !asked.has(name));
    // OAuth is for platforms, and answers in a form of its own.
    expect(left.map(({ host }) => host)).toEqual(left.map(() => 'connect'));
  });

  it('goes through, but for what the state of the objects refuses', () => {
    const refused = walk.steps.filter(({ status }) => status !== 200);
    const unforeseen = refused.filter(({ operation }) => REFUSED_ON_THE_WALK[operation.name] === undefined);
    expect(unforeseen.map(({ operation, body }) => [operation.name, body])).toEqual([]);
  });

  it('answers what stripe-node declares, with every field that is required, at every depth', () => {
    const { steps, types } = walk;
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
