import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Sent, SentCalls, SentFields } from './sent.ts';

/** @param dir an unpacked wheel of a stripe-python from 8 on: before, nothing says what a call takes */
export function readPythonSdk(dir: string): SentCalls {
  const root = join(dir, 'stripe');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => /_(?:service|params)\.py$/.test(file))
    .sort()
    .map((file) => ({
      // Names are of a package, and what calls take may lie in one of its own: `params/checkout` is of `checkout`.
      home: dirname(file).replace(/^params(?:\/|$)/, '') || '.',
      code: readFileSync(join(root, file), 'utf8').replace(/^ *""".*?"""$/gms, ''),
    }));
  const homes = new Map<string, Map<string, Annotations>>();
  for (const { home, code } of files) {
    const classes = homes.get(home) ?? new Map<string, Annotations>();
    homes.set(home, classes);
    for (const [name, fields] of classesIn(code)) classes.set(name, fields);
  }
  const calls = new Map<string, SentFields>();
  for (const { home, code } of files) {
    const classes = homes.get(home) ?? new Map<string, Annotations>();
    for (const [, params = '', method = '', path = ''] of code.matchAll(CALL)) {
      const call = `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, '{id}')}`;
      if (classes.has(params)) calls.set(call, sentBy(params, classes, []));
    }
  }
  return calls;
}

/** By name of a field. */
type Annotations = ReadonlyMap<string, string>;

const CALL =
  /^ {4}def \w+\(\n(?:(?!^ {4}\w).)*?params: (?:Optional\[)?"([\w.]+)"(?:(?!^ {4}(?:async )?def ).)*?self\._request\(\s*"(\w+)",\s*"(\/v1\/[^"]*)"/gms;

/** By the name that an annotation has for it: its fields and their annotations. */
function* classesIn(code: string): Generator<readonly [string, Annotations]> {
  // A base that has the fields whose names are words of Python.
  const written = new Map(
    [...code.matchAll(/^ *(\w+) = TypedDict\(\s*"\w+",\s*\{(.*?)^ *\},?\s*\)$/gms)].map(
      ([, name = '', body = '']) => [name, [...body.matchAll(/"(\w+)": (.*?),\n/gs)]] as const,
    ),
  );
  const start = /^( *)class (\w+)\(([\w., ]*)\):\n/gm;
  let outer = '';
  for (const match of code.matchAll(start)) {
    const [whole, indent = '', name = '', base = ''] = match;
    if (indent === '') outer = name;
    const rest = code.slice(match.index + whole.length);
    const end = rest.search(new RegExp(`^ {0,${indent.length}}\\S`, 'm'));
    const body = end < 0 ? rest : rest.slice(0, end);
    const field = new RegExp(
      `^ {${indent.length + 4}}(\\w+): (.*?)(?=^ {0,${indent.length + 4}}\\w|$(?![\\s\\S]))`,
      'gms',
    );
    const fields = [...(written.get(base) ?? []), ...body.matchAll(field)];
    const full = indent === '' ? name : `${outer}.${name}`;
    yield [full, new Map(fields.map(([, key = '', type = '']) => [key, type]))];
  }
}

function sentBy(
  name: string,
  classes: ReadonlyMap<string, Annotations>,
  within: readonly string[],
): SentFields {
  const sent = new Map<string, Sent>();
  if (within.includes(name)) return sent;
  for (const [key, type] of classes.get(name) ?? []) {
    const parts = [...type.matchAll(/\b[A-Z]\w*(?:\.\w+)*/g)]
      .map(([one]) => one)
      .filter((one) => classes.has(one));
    const literals = [...type.matchAll(/Literal\[(.*?)\]/gs)].flatMap(([, list = '']) =>
      [...list.matchAll(/["'](.+?)["']/g)].map(([, value = '']) => value),
    );
    sent.set(key, {
      // Beside a text, its values are but some of those that go.
      values: /\bstr\b/.test(type.replace(/Literal\[.*?\]/gs, ''))
        ? []
        : literals.filter((value) => value !== ''),
      fields:
        parts.length > 0
          ? new Map(parts.flatMap((part) => [...sentBy(part, classes, [...within, name])]))
          : undefined,
      isList: /\b[lL]ist\[/.test(type),
    });
  }
  return sent;
}
