import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mergeRows } from '../scripts/catalog/merge.ts';
import { readSourceTables } from '../scripts/catalog/source-tables.ts';
import { catalogData } from '../src/core/catalog/data/catalog.ts';
import { temporaryFolder } from './support/run-cli.ts';

const SOURCE = join(import.meta.dirname, '../src/core/catalog/data/source');
const VERSION = catalogData.apiVersion;
const HEAD = `# keyaudit calibrate: target stripe, API version ${VERSION}, catalog stripe-node 23.1.0.`;
const COLUMNS = 'method\tpath\tpermissions\tprovenance\tsource\tremark';
const NAMED = 'named by 3 refusals, last on 2026-11-25';
const KEY = 'a key with just this permission is let through, and one without is refused';

const first = (provenance: string) => {
  const found = catalogData.operations.find((one) => one.provenance === provenance);
  if (found === undefined) throw new Error(provenance);
  return `${found.method}\t${found.path}`;
};

async function merge(rows: readonly string[], { head = HEAD, columns = COLUMNS } = {}) {
  const dir = await temporaryFolder();
  await cp(SOURCE, dir, { recursive: true });
  const file = join(dir, 'rows.tsv');
  await writeFile(file, `${[head, '# contradiction: nothing', columns, ...rows].join('\n')}\n`);
  const merged = mergeRows(dir, file, VERSION);
  const rowOf = async (start: string) =>
    (await readFile(join(dir, 'endpoints.tsv'), 'utf8'))
      .split('\n')
      .find((line) => line.startsWith(`${start}\t`));
  return { ...merged, dir, rowOf };
}

describe('npm run catalog -- --merge', () => {
  it.each([
    ['unknown', 'named', NAMED, true],
    ['inferred', 'named', NAMED, true],
    ['documented', 'named', NAMED, false],
    ['observed', 'named', NAMED, false],
    ['documented', 'calibrated', KEY, true],
  ])('a row that was %s, and comes %s', async (before, provenance, source, isTaken) => {
    const start = first(before);
    const { taken, left, rowOf } = await merge([
      `${start}\twebhook_write\t${provenance}\t${source}\tsomebody's remark`,
    ]);
    expect([taken.length, left.length]).toEqual(isTaken ? [1, 0] : [0, 1]);
    const row = await rowOf(start);
    if (isTaken) expect(row).toContain(`\twebhook_write\t${provenance}\t${source}, by keyaudit calibrate\t`);
    expect(row).not.toContain("somebody's remark");
  });

  it('gives a name that is new a row of its own, with which the tables fit', async () => {
    const { added, dir } = await merge([`${first('unknown')}\tbrand_new_write\tnamed\t${NAMED}\t-`]);
    expect(added).toEqual(['brand_new_write']);
    const { permissions } = readSourceTables(dir);
    expect(permissions.at(-1)).toMatchObject({ name: 'brand_new_write', level: 'write', managedApi: false });
  });

  it.each([
    ['an endpoint that is none', `GET\t/v1/nothing\twebhook_read\tnamed\t${NAMED}\t-`, /no such endpoint/],
    ['a name that is none', `${first('unknown')}\tevil; rm -rf\tnamed\t${NAMED}\t-`, /not spelt like/],
    [
      'a provenance above all',
      `${first('unknown')}\twebhook_read\tdocumented\t${NAMED}\t-`,
      /neither named nor/,
    ],
    [
      'words of its own',
      `${first('unknown')}\twebhook_read\tnamed\t[click](http://evil)\t-`,
      /in no words of/,
    ],
    ['too few cells', `${first('unknown')}\twebhook_read\tnamed`, /cells/],
    [
      'a control character',
      `GET\t/v1/\u001b[2J\twebhook_read\tnamed\t${NAMED}\t-`,
      /^GET \/v1\/\?\[2J: the table/,
    ],
  ])('leaves %s', async (_what, row, why) => {
    const { taken, left, added } = await merge([row]);
    expect([taken, added]).toEqual([[], []]);
    expect(left[0]).toMatch(why);
  });

  it.each([
    ['another API version', { head: HEAD.replace(VERSION, '2020-08-27') }, /of API version 2020-08-27/],
    ['a sandbox', { head: HEAD.replace('target stripe', 'target sandbox') }, /tells of sandbox/],
    ['stripe-mock', { head: HEAD.replace('target stripe', 'target stripe-mock') }, /tells of stripe-mock/],
    ['the answers', { columns: 'endpoint\toperation' }, /no file that "keyaudit calibrate --print"/],
    ['something else', { head: '{}' }, /no file that/],
  ])('refuses a file of %s', async (_what, file, why) => {
    await expect(merge([], file)).rejects.toThrow(why);
  });
});
