import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EncodedTypes } from '../../src/core/catalog/declared-types.ts';
import type { Answered } from '../../src/core/catalog/expansion.ts';
import { readSdk } from '../catalog/sdk.ts';
import { type ExpandableFields, ExpansionReader } from '../catalog/sdk-expansions.ts';
import { ShapeReader } from '../catalog/sdk-shapes.ts';
import { mergedScope, type Scope } from '../catalog/sdk-types.ts';

/** What one published version of the SDK declares, by `POST /v1/charges/{id}/capture`. */
export interface OlderSdk {
  readonly calls: readonly string[];
  readonly types: EncodedTypes;
  readonly answers: ReadonlyMap<string, Answered>;
  readonly expandable: ExpandableFields;
}

/** A method of a resource, as its file spells it. */
interface Spelled {
  /** `Checkout/Sessions` */
  readonly resource: string;
  readonly name: string;
  readonly call: string;
}

/** @param dir an unpacked `stripe` package of any major from 8 on */
export function readOlderSdk(dir: string): OlderSdk {
  if (!existsSync(join(dir, 'types'))) return readModules(dir);
  const shapes = new ShapeReader();
  const expansions = new ExpansionReader();
  const stripe = namespaceOf(dir);
  const types = new Map<string, string>();
  const answers = new Map<string, Answered>();
  for (const { resource, name, call } of spelledMethods(dir)) {
    const path = resource.split('/');
    const className = `${path.pop()?.replace('SKU', 'Sku')}Resource`;
    const scope = path.reduce<Scope | undefined>((home, part) => home?.namespaces.get(part), stripe);
    if (scope?.types.get(className) === undefined) throw new Error(`${dir} does not declare ${resource}`);
    types.set(call, `${call.replace(' ', '_')} ${shapes.parametersIn(scope, className, name)} `);
    // Nothing is expanded in v2.
    if (call.includes(' /v2/')) continue;
    const answered = expansions.readIn(scope, className, name);
    if (answered !== undefined) answers.set(call, answered);
  }
  return {
    calls: [...types.keys()],
    types: encoded(shapes, [...types.values()]),
    answers,
    expandable: expansions.fields,
  };
}

/** From the 22nd major on each file is a module, as in the installed one. */
function readModules(dir: string): OlderSdk {
  const { requests, shapes, expandable } = readSdk(dir);
  const byCall = new Map(requests.map((request) => [`${request.method} ${request.path}`, request]));
  const lines = [...byCall].map(
    ([call, { types }]) => `${call.replace(' ', '_')} ${types.parameters} ${types.answer}`,
  );
  return {
    calls: [...byCall.keys()],
    types: encoded(shapes, lines),
    answers: new Map(
      [...byCall].flatMap(([call, { answered }]) => (answered ? [[call, answered] as const] : [])),
    ),
    expandable,
  };
}

function encoded(
  {
    shapes,
    values,
    kinds,
  }: Pick<ShapeReader, 'shapes' | 'values' | 'kinds'> | ReturnType<typeof readSdk>['shapes'],
  types: readonly string[],
): EncodedTypes {
  return {
    shapes: shapes.join('\n'),
    values: values.join('\n'),
    kinds: [...kinds].map(([kind, number]) => `${kind} ${number}`).join('\n'),
    types: types.join('\n'),
  };
}

/** Everything that is declared within `namespace Stripe`. */
function namespaceOf(dir: string): Scope {
  const types = join(dir, 'types');
  const files = readdirSync(types, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.d.ts') && !/(?:^|\/)(?:test|net|crypto)\//.test(file))
    .map((file) => join(types, file));
  const stripe = mergedScope(files, files[0] ?? '').namespaces.get('Stripe');
  if (stripe === undefined) throw new Error(`${dir} declares no namespace Stripe`);
  return stripe;
}

const METHOD =
  /^ {2,4}(\w+): (?:stripeMethod|StripeResource_js_1\.StripeResource\.method)\(\{([\s\S]*?)\}\)/gm;

/** What the majors before the 10th made of `includeBasic`. */
const BASIC: Readonly<Record<string, readonly [method: string, path: string]>> = {
  create: ['POST', ''],
  list: ['GET', ''],
  retrieve: ['GET', '/{id}'],
  update: ['POST', '/{id}'],
  del: ['DELETE', '/{id}'],
};

function spelledMethods(dir: string): readonly Spelled[] {
  const folder =
    [join(dir, 'cjs', 'resources'), join(dir, 'lib', 'resources')].find((one) => existsSync(one)) ?? '';
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js'))
    .sort()
    .flatMap((file) => methodsIn(file.replace(/\.js$/, ''), readFileSync(join(folder, file), 'utf8')));
}

function methodsIn(resource: string, code: string): readonly Spelled[] {
  const base = /^ {2}path: '([^']*)',$/m.exec(code)?.[1] ?? '';
  const call = (method: string, path: string) =>
    `${method} /${path.replace(/^\//, '').replace(/\{\w+\}/g, '{id}')}`.replace(/\/$/, '');
  const basic = /includeBasic: \[([^\]]*)\]/.exec(code)?.[1] ?? '';
  const named = [...basic.matchAll(/'(\w+)'/g)].map(([, name = '']) => {
    const [method, path] = BASIC[name] ?? ['', ''];
    return { resource, name, call: call(method, `v1/${base}${path}`) };
  });
  const spelled = [...code.matchAll(METHOD)].map(([, name = '', spec = '']) => {
    const method = /method: '(\w+)'/.exec(spec)?.[1] ?? 'GET';
    const full = /fullPath: '([^']*)'/.exec(spec)?.[1];
    const own = /[^lL]path: '([^']*)'/.exec(spec)?.[1] ?? '';
    return { resource, name, call: call(method, full ?? `v1/${base}${own}`) };
  });
  return [...named, ...spelled];
}
