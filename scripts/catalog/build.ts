import { byText } from '../../src/core/by-text.ts';
import type { CatalogData, Operation, OperationName, Parameter } from '../../src/core/catalog/catalog.ts';
import type { Answered } from '../../src/core/catalog/expansion.ts';
import { type MoneyRow, moneyProblems } from './money.ts';
import { kindOf, type NamedRequest, resourceNames } from './resource.ts';
import type { Sdk, SdkRequest } from './sdk.ts';
import type { ExpandableFields } from './sdk-expansions.ts';
import type { OperationTypes, Shapes } from './sdk-shapes.ts';
import type { EndpointRow, SourceTables } from './source-tables.ts';

/** The catalog with what its operations take and what their answers can expand, each kept in a file of its own. */
export interface Catalog {
  readonly data: CatalogData;
  readonly parameters: ReadonlyMap<OperationName, readonly Parameter[]>;
  readonly answers: ReadonlyMap<OperationName, Answered>;
  readonly expandable: ExpandableFields;
  readonly shapes: Shapes;
  readonly types: ReadonlyMap<OperationName, OperationTypes>;
  readonly money: readonly MoneyRow[];
}

/** Methods that request a URL which they were given, so no row can stand for them. */
const DYNAMIC_METHODS: readonly string[] = ['v2.core.events.addFetchRelatedObjectIfNeeded'];

/**
 * Joins what the SDK can call with what is known about permissions.
 * @throws one error that lists everything that does not fit; raising the SDK's version shows so which rows are needed
 */
export function buildCatalog(sdk: Sdk, tables: SourceTables): Catalog {
  const requests = canonicalRequests(sdk.requests);
  const rows = new Map(tables.endpoints.map((row) => [endpointOf(row), row]));
  const problems = [...sdkProblems(sdk, requests, rows), ...tableProblems(requests, tables)];
  if (problems.length > 0) throw new Error(`The catalog does not fit together:\n  ${problems.join('\n  ')}`);

  const named = requests.map((request) => ({ ...request, ...rowOf(rows, request) }));
  const resources = resourceNames(named);
  const operations = named.map((request) => toOperation(request, resources));
  const parameters = new Map(requests.map((request) => [request.name, request.parameters ?? []]));
  const unfit = moneyProblems(tables.money, { operations }, parameters);
  if (unfit.length > 0) throw new Error(`The catalog does not fit together:\n  ${unfit.join('\n  ')}`);
  return {
    data: {
      source: `stripe-node ${sdk.version}`,
      apiVersion: sdk.apiVersion,
      permissions: tables.permissions,
      implications: tables.implications,
      operations: operations.sort(byPathThenMethod),
    },
    parameters,
    answers: new Map(requests.flatMap(({ name, answered }) => (answered ? [[name, answered]] : []))),
    expandable: sdk.expandable,
    shapes: sdk.shapes,
    types: new Map(requests.map(({ name, types }) => [name, types])),
    money: tables.money,
  };
}

/**
 * One request for each endpoint. Where several methods make the same one, a method that makes only this request
 * names it: `GET /v1/account` is `accounts.retrieveCurrent`, while `accounts.retrieve` stays `GET /v1/accounts/{id}`.
 */
function canonicalRequests(requests: readonly SdkRequest[]): SdkRequest[] {
  const named = new Set(requests.filter((request) => !request.branches).map(endpointOf));
  return requests.filter((request) => !request.branches || !named.has(endpointOf(request)));
}

type Joined = NamedRequest & SdkRequest & Pick<EndpointRow, 'provenance' | 'source' | 'remark'>;

function toOperation(request: Joined, resources: ReadonlyMap<NamedRequest, string>): Operation {
  const { name, method, path, host, permissions, provenance, source, remark } = request;
  const resource = resources.get(request) ?? '';
  return {
    name,
    method,
    path,
    resource,
    kind: kindOf(request, resource),
    host,
    permissions,
    provenance,
    source,
    ...(remark === undefined ? {} : { remark }),
  };
}

function sdkProblems(
  sdk: Sdk,
  requests: readonly SdkRequest[],
  rows: ReadonlyMap<string, EndpointRow>,
): string[] {
  const endpoints = new Set(requests.map(endpointOf));
  const dynamic = sdk.dynamic.filter((name) => !DYNAMIC_METHODS.includes(name));
  return [
    ...requests
      .filter((request) => !rows.has(endpointOf(request)))
      .map((request) => `endpoints.tsv has no row for ${endpointOf(request)} (${request.name})`),
    ...[...rows.keys()]
      .filter((endpoint) => !endpoints.has(endpoint))
      .map(
        (endpoint) => `endpoints.tsv has a row for ${endpoint}, which stripe-node ${sdk.version} cannot call`,
      ),
    ...repeated(requests.map((request) => request.name)).map((name) => `two endpoints are called ${name}`),
    ...repeated(requests.map(endpointOf)).map(
      (endpoint) => `two methods name ${endpoint}, and neither is better`,
    ),
    ...requests
      .filter((request) => request.parameters === undefined)
      .map((request) => `${request.name} declares no type for its params`),
    ...dynamic.map((name) => `${name} computes its path, so its endpoint is not known`),
    ...sdk.unwired.map((file) => `${file} makes requests, but nothing in the client leads to it`),
  ];
}

function tableProblems(requests: readonly SdkRequest[], tables: SourceTables): string[] {
  const known = new Set(tables.permissions.map((permission) => permission.name));
  const unknown = (names: readonly string[], where: string) =>
    names
      .filter((name) => !known.has(name))
      .map((name) => `${where} names "${name}", which permissions.tsv lacks`);
  return [
    ...repeated(tables.endpoints.map(endpointOf)).map(
      (endpoint) => `endpoints.tsv has two rows for ${endpoint}`,
    ),
    ...repeated(tables.permissions.map(({ name }) => name)).map(
      (name) => `permissions.tsv has two rows for ${name}`,
    ),
    ...repeated(tables.permissions.map(({ scope }) => scope)).map(
      (scope) => `two permissions have the scope ${scope}`,
    ),
    ...tables.endpoints.flatMap((row) => unknown(row.permissions, `endpoints.tsv, ${endpointOf(row)},`)),
    ...tables.implications.flatMap((row) => unknown([row.from, ...row.to], `implications.tsv, ${row.from},`)),
    ...(requests.length === 0 ? ['the SDK makes no request at all'] : []),
  ];
}

function endpointOf({ method, path }: { readonly method: string; readonly path: string }): string {
  return `${method} ${path}`;
}

function rowOf(
  rows: ReadonlyMap<string, EndpointRow>,
  request: SdkRequest,
): Pick<EndpointRow, 'permissions' | 'provenance' | 'source' | 'remark'> {
  const row = rows.get(endpointOf(request));
  if (row === undefined) throw new Error(`no row for ${endpointOf(request)}`);
  const { permissions, provenance, source, remark } = row;
  return { permissions, provenance, source, ...(remark === undefined ? {} : { remark }) };
}

function repeated(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}

function byPathThenMethod(a: Operation, b: Operation): number {
  return byText(a.path, b.path) || byText(a.method, b.method);
}
