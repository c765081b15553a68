import { describe, expect, it } from 'vitest';
import type { HintRow } from '../support/hints/hint-row.ts';
import { HINT_ROWS } from '../support/hints/hint-rows.ts';
import { hintScene } from '../support/hints/hint-scene.ts';

// Every hint that a command prints, run as printed in the state in which it was printed. test/hints.test.ts holds the
// list whole; the commands that mend a finding are run by fixes.test.ts.

const on = (place: 'here' | 'elsewhere') =>
  HINT_ROWS.filter(({ where = 'here' }) => where === place || where === 'both').map(
    (row) => [row.what, row.prints, row] as const,
  );

describe('on the embedded sandbox, what is proposed does what it promises', () => {
  it.each(on('here'))('%s: %s', (_what, _prints, row) => keepsItsPromise(row, false));
});

describe('with --target stripe --api-base, what is proposed does what it promises there', () => {
  it.each(on('elsewhere'))('%s: %s', (_what, _prints, row) => keepsItsPromise(row, true));
});

async function keepsItsPromise(row: HintRow, elsewhere: boolean): Promise<void> {
  const here = await hintScene(elsewhere, row.behaviour);
  const printed = await row.state(here);
  const commands = row.prints.exec(printed.said)?.slice(1);
  expect(commands, printed.said).toBeDefined();
  await row.first?.(here);
  let line = (commands ?? []).join(' && ').trim();
  for (const [word, meant] of Object.entries(row.as ?? {})) line = line.replaceAll(word, meant);
  if (row.plus !== undefined) line += ` ${row.plus}`;
  if (row.starts !== undefined) {
    expect((await here.start(line, row.starts, { asPrinted: true })).said).toMatch(row.starts);
    return;
  }
  const run = await here.asPrinted(line, { env: row.env?.(here) });
  const told = `${line}\n${run.stdout}${run.stderr}`;
  expect(run.exitCode, told).toBe(row.exitCode ?? 0);
  if (row.says !== undefined) expect(run.said, told).toMatch(row.says);
  await row.after?.(here);
}
