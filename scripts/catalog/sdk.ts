import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { ESTree } from 'rolldown/utils';
import type { Host, Method, Parameter } from '../../src/core/catalog/catalog.ts';
import type { Answered } from '../../src/core/catalog/expansion.ts';
import { type ExpandableFields, ExpansionReader } from './sdk-expansions.ts';
import { declarationOf, loadSdkModule, type SdkModule } from './sdk-modules.ts';
import { parametersOfMethod } from './sdk-parameters.ts';
import { type OperationTypes, ShapeReader, type Shapes } from './sdk-shapes.ts';

/** One request that a method of the SDK makes. */
export interface SdkRequest {
  /** As a user calls it on the client: `testHelpers.refunds.expire`. */
  readonly name: string;
  readonly method: Method;
  /** Every parameter is written `{id}`. */
  readonly path: string;
  readonly host: Host;
  readonly methodType?: 'list' | 'search';
  /** Undefined: the method's declaration has no type for its params. */
  readonly parameters: readonly Parameter[] | undefined;
  /** What it takes and answers, at every depth. */
  readonly types: OperationTypes;
  /** Undefined where the answer is no object, or one of API v2, which expands nothing. */
  readonly answered: Answered | undefined;
  /** Whether the same method makes other requests too, depending on its arguments. */
  readonly branches: boolean;
}

/** What the installed SDK can call. */
export interface Sdk {
  readonly version: string;
  readonly apiVersion: string;
  readonly requests: readonly SdkRequest[];
  readonly expandable: ExpandableFields;
  readonly shapes: Shapes;
  /** Methods whose path is not written in the code, such as the one that follows an event's own URL. */
  readonly dynamic: readonly string[];
  /** Files under `resources` that make requests but are not wired into the client. */
  readonly unwired: readonly string[];
}

const HOSTS: Readonly<Record<string, Host>> = {
  files: 'files',
  connect: 'connect',
  meter_events: 'meter-events',
};

/**
 * Reads every request out of an installed `stripe` package by parsing its code: names follow the client's own
 * wiring (`this.charges = new ChargeResource(…)`), methods and paths its `_makeRequest` calls.
 * @param dir the package's folder, such as `node_modules/stripe`
 * @throws when the code has a shape that this reader does not know, rather than leave a request out
 */
export function readSdk(dir: string): Sdk {
  const core = join(dir, 'esm', 'stripe.core.js');
  const walk: Walk = {
    resources: join(dir, 'esm', 'resources') + sep,
    requests: [],
    expansions: new ExpansionReader(),
    shapes: new ShapeReader(),
    dynamic: [],
    seen: new Set(),
  };
  walkClass(walk, core, 'Stripe', []);
  const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { version: string };
  return {
    version: manifest.version,
    apiVersion: readApiVersion(join(dir, 'esm', 'apiVersion.js')),
    requests: walk.requests,
    expandable: walk.expansions.fields,
    shapes: walk.shapes,
    dynamic: walk.dynamic,
    unwired: unwiredFiles(walk),
  };
}

interface Walk {
  readonly resources: string;
  readonly requests: SdkRequest[];
  readonly expansions: ExpansionReader;
  readonly shapes: ShapeReader;
  readonly dynamic: string[];
  readonly seen: Set<string>;
}

function walkClass(walk: Walk, file: string, className: string, namePath: readonly string[]): void {
  const module = loadSdkModule(file);
  const node = classNamed(module, className);
  walk.seen.add(file);
  for (const member of node.body.body) {
    if (member.type !== 'MethodDefinition' || member.static || member.key.type !== 'Identifier') continue;
    if (member.kind === 'constructor') walkProperties(walk, module, member.value, namePath);
    else if (namePath.length > 0)
      readMethod(walk, file, className, [...namePath, member.key.name], member.value);
  }
}

/** Follows `this.cards = new CardResource(…)` where the class comes from the resources folder. */
function walkProperties(walk: Walk, module: SdkModule, body: ESTree.Node, namePath: readonly string[]): void {
  for (const node of descendants(body)) {
    if (node.type !== 'AssignmentExpression' || node.right.type !== 'NewExpression') continue;
    const { left, right } = node;
    if (left.type !== 'MemberExpression' || left.object.type !== 'ThisExpression' || left.computed) continue;
    if (right.callee.type !== 'Identifier' || left.property.type !== 'Identifier') continue;
    const origin = module.imports.get(right.callee.name);
    const target = origin && (loadSdkModule(origin.file).reexports.get(origin.name) ?? origin);
    if (!target?.file.startsWith(walk.resources)) continue;
    walkClass(walk, target.file, target.name, [...namePath, left.property.name]);
  }
}

function readMethod(
  walk: Walk,
  file: string,
  className: string,
  namePath: string[],
  body: ESTree.Node,
): void {
  const name = namePath.join('.');
  const calls = descendants(body).filter(isMakeRequest);
  for (const call of calls) {
    const [methodNode, pathNode, , , specNode] = call.arguments;
    const path = pathNode && pathTemplate(pathNode);
    if (path === undefined) {
      walk.dynamic.push(name);
      continue;
    }
    const spec = specOf(specNode);
    const declaration = [file.replace(/\.js$/, '.d.ts'), className, namePath.at(-1) ?? ''] as const;
    walk.requests.push({
      name,
      method: methodOf(methodNode, name),
      path,
      host: hostOf(spec.apiBase, name),
      ...(spec.methodType === 'list' || spec.methodType === 'search' ? { methodType: spec.methodType } : {}),
      types: walk.shapes.read(...declaration),
      parameters: parametersOfMethod(...declaration),
      answered: path.startsWith('/v2/') ? undefined : walk.expansions.read(...declaration),
      branches: calls.length > 1,
    });
  }
}

function isMakeRequest(node: ESTree.Node): node is ESTree.CallExpression {
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return false;
  return node.callee.property.type === 'Identifier' && node.callee.property.name === '_makeRequest';
}

/** Undefined when the path is computed at run time. */
function pathTemplate(node: ESTree.Node): string | undefined {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : undefined;
  if (node.type !== 'TemplateLiteral') return undefined;
  return node.quasis.map((quasi) => quasi.value.cooked).join('{id}');
}

function methodOf(node: ESTree.Node | undefined, name: string): Method {
  const method = node?.type === 'Literal' ? node.value : undefined;
  if (method === 'GET' || method === 'POST' || method === 'DELETE') return method;
  throw new Error(`${name} makes a request by a method that is not GET, POST or DELETE`);
}

function hostOf(apiBase: string | undefined, name: string): Host {
  if (apiBase === undefined) return 'api';
  const host = HOSTS[apiBase];
  if (host === undefined) throw new Error(`${name} goes to a host unknown here: ${apiBase}`);
  return host;
}

/** The plain string properties of the last argument of `_makeRequest`. */
function specOf(node: ESTree.Node | undefined): Readonly<Record<string, string | undefined>> {
  const spec: Record<string, string> = {};
  for (const property of node?.type === 'ObjectExpression' ? node.properties : []) {
    if (property.type !== 'Property' || property.key.type !== 'Identifier') continue;
    if (property.value.type === 'Literal' && typeof property.value.value === 'string') {
      spec[property.key.name] = property.value.value;
    }
  }
  return spec;
}

function classNamed(module: SdkModule, name: string): ESTree.Class {
  for (const statement of module.body) {
    const declaration = declarationOf(statement);
    if (declaration.type === 'ClassDeclaration' && declaration.id?.name === name) return declaration;
  }
  throw new Error(`${module.file} has no class ${name}`);
}

function unwiredFiles(walk: Walk): string[] {
  const files = readdirSync(walk.resources, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.js'),
  );
  return files
    .filter((file) => !walk.seen.has(join(walk.resources, file)))
    .filter((file) =>
      loadSdkModule(join(walk.resources, file)).body.some((node) => descendants(node).some(isMakeRequest)),
    )
    .sort();
}

function readApiVersion(file: string): string {
  for (const node of loadSdkModule(file).body.flatMap(descendants)) {
    if (node.type !== 'VariableDeclarator' || node.id.type !== 'Identifier') continue;
    if (node.id.name !== 'ApiVersion' || node.init?.type !== 'Literal') continue;
    return String(node.init.value);
  }
  throw new Error(`${file} does not declare ApiVersion`);
}

function descendants(node: ESTree.Node): ESTree.Node[] {
  const found: ESTree.Node[] = [node];
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) found.push(...descendants(child));
    }
  }
  return found;
}

function isNode(value: unknown): value is ESTree.Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
