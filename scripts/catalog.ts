import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Catalog, type CatalogData } from '../src/core/catalog/catalog.ts';
import { readBeyondSdk, renderBeyondSdk } from './catalog/beyond-sdk.ts';
import { buildCatalog } from './catalog/build.ts';
import { renderDocs } from './catalog/docs.ts';
import { mergeRows } from './catalog/merge.ts';
import {
  renderCatalog,
  renderExpansions,
  renderMoney,
  renderParameters,
  renderTypes,
} from './catalog/render.ts';
import { readSdk } from './catalog/sdk.ts';
import { readSourceTables } from './catalog/source-tables.ts';
import { configSchemaFile, renderConfigSchema } from './config-schema.ts';
import { policySchemaFile, renderPolicySchema } from './policy-schema.ts';
import { renderProfileSchema, schemaFile } from './profile-schema.ts';
import { renderSeedSchema, seedSchemaFile } from './seed-schema.ts';
import { readVersionTable, renderVersions } from './versions/table.ts';

const root = join(import.meta.dirname, '..');
const sdk = readSdk(join(root, 'node_modules', 'stripe'));
const source = join(root, 'src', 'core', 'catalog', 'data', 'source');
merge(process.argv.slice(2));
const catalog = buildCatalog(sdk, readSourceTables(source));
const beyondSdk = readBeyondSdk(source, catalog.data);

writeFileSync(join(root, 'src', 'core', 'catalog', 'data', 'catalog.ts'), renderCatalog(catalog));
writeFileSync(join(root, 'src', 'core', 'catalog', 'data', 'parameters.ts'), renderParameters(catalog));
writeFileSync(join(root, 'src', 'core', 'catalog', 'data', 'expansions.ts'), renderExpansions(catalog));
writeFileSync(join(root, 'src', 'core', 'catalog', 'data', 'money.ts'), renderMoney(catalog));
writeFileSync(join(root, 'src', 'core', 'catalog', 'data', 'types.ts'), renderTypes(catalog));
writeFileSync(join(root, 'src', 'core', 'catalog', 'data', 'beyond-sdk.ts'), renderBeyondSdk(beyondSdk));
writeFileSync(
  join(root, 'src', 'core', 'catalog', 'data', 'versions.ts'),
  renderVersions(readVersionTable(source)),
);
writeFileSync(join(root, 'docs', 'catalog.md'), renderDocs(catalog, beyondSdk));
writeFileSync(schemaFile, renderProfileSchema(new Catalog(catalog.data)));
writeFileSync(policySchemaFile, renderPolicySchema(new Catalog(catalog.data)));
writeFileSync(configSchemaFile, renderConfigSchema());
writeFileSync(seedSchemaFile, renderSeedSchema(new Catalog(catalog.data)));
console.log(summary(catalog.data));

/** `--merge FILE`: takes rows that `keyaudit calibrate --print` wrote, and says what became of each. */
function merge(args: readonly string[]): void {
  if (args.length === 0) return;
  const [flag, file, ...more] = args;
  if (flag !== '--merge' || file === undefined || more.length > 0)
    throw new Error('usage: npm run catalog [-- --merge FILE]');
  const { taken, left, added } = mergeRows(source, file, sdk.apiVersion);
  for (const line of left) console.log(`left: ${line}`);
  for (const line of taken) console.log(`taken: ${line}`);
  for (const name of added) console.log(`new permission: ${name}`);
  console.log(`${taken.length} rows taken, ${left.length} left`);
}

function summary({ source, apiVersion, operations, permissions, implications }: CatalogData): string {
  const provenances = countBy(operations.map(({ provenance }) => provenance));
  const resources = new Set(operations.map(({ resource }) => resource));
  return [
    `${source}, API version ${apiVersion}`,
    `${operations.length} operations (${provenances.map(([name, count]) => `${count} ${name}`).join(', ')})`,
    `${permissions.length} permissions, ${implications.length} implications, ${resources.size} resources`,
  ].join('\n');
}

function countBy(values: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts];
}
