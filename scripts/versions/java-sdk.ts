import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sent, SentCalls, SentFields } from './sent.ts';

/** @param dir the unpacked sources of a stripe-java of any major from 20 on */
export function readJavaSdk(dir: string): SentCalls {
  const root = join(dir, 'com', 'stripe');
  const classes = new Map<string, SentFields>();
  const paramsOf = (qualified: string) => {
    const known = classes.get(qualified);
    if (known !== undefined) return known;
    const file = join(dir, `${qualified.replaceAll('.', '/')}.java`);
    const fields = existsSync(file) ? fieldsIn(readFileSync(file, 'utf8')) : new Map<string, Sent>();
    classes.set(qualified, fields);
    return fields;
  };
  const calls = new Map<string, SentFields>();
  for (const folder of ['model', 'service']) {
    if (!existsSync(join(root, folder))) continue;
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).sort()) {
      if (!file.endsWith('.java')) continue;
      const code = readFileSync(join(root, folder, file), 'utf8');
      for (const { call, params } of callsIn(code)) {
        const qualified = new RegExp(`^import (com\\.stripe\\.param\\.[\\w.]*\\b${params});`, 'm').exec(
          code,
        )?.[1];
        if (qualified !== undefined && !calls.has(call)) calls.set(call, paramsOf(qualified));
      }
    }
  }
  return calls;
}

const METHOD = /^ {2}public [\w<>. ]+ \w+\(([^)]*)\)[^{]*\{\n([\s\S]*?)^ {2}\}/gm;

function* callsIn(code: string): Generator<{ readonly call: string; readonly params: string }> {
  for (const [, signature = '', body = ''] of code.matchAll(METHOD)) {
    const params = /(\w+Params) params/.exec(signature)?.[1];
    const path = /"(\/v1\/[^"]*)"/.exec(body)?.[1];
    if (params === undefined || path === undefined) continue;
    const method = /RequestMethod\.(\w+)/.exec(body)?.[1] ?? 'GET';
    yield { call: `${method} ${path.replaceAll('%s', '{id}')}`, params };
  }
}

interface JavaClass {
  readonly name: string;
  readonly parent: JavaClass | undefined;
  readonly nested: Map<string, JavaClass>;
  /** Of an enum. */
  readonly values: string[];
  readonly fields: { readonly name: string; readonly type: string }[];
}

/** Reads the fields of the class of a file; what is nested is written within it. */
function fieldsIn(code: string): SentFields {
  const top: JavaClass = { name: '', parent: undefined, nested: new Map(), values: [], fields: [] };
  const open: { readonly at: JavaClass; readonly indent: number }[] = [{ at: top, indent: -1 }];
  let serialized: string | undefined;
  for (const line of code.split('\n')) {
    const indent = line.length - line.trimStart().length;
    const { at } = open.at(-1) ?? { at: top };
    const start = /^ *(?:public )?(?:static )?(?:final )?(?:class|enum) (\w+)/.exec(line)?.[1];
    if (start !== undefined) {
      const made = { name: start, parent: at, nested: new Map(), values: [], fields: [] };
      at.nested.set(start, made);
      if (!line.trimEnd().endsWith('}')) open.push({ at: made, indent });
      continue;
    }
    if (line.trim() === '}' && indent === open.at(-1)?.indent) open.pop();
    if (serialized !== undefined && !/^ *(?:@|$)/.test(line)) {
      const field = /^ *([\w.<>, ]+) \w+;/.exec(line)?.[1];
      if (field === undefined) at.values.push(serialized);
      else at.fields.push({ name: serialized, type: field });
      serialized = undefined;
    }
    // Of values, the next one's stands on the line of the one before.
    serialized = /@SerializedName\("([^"]*)"\)/.exec(line)?.[1] ?? serialized;
  }
  const [first] = top.nested.values();
  return first === undefined ? new Map() : sentBy(first);
}

function sentBy(one: JavaClass): SentFields {
  const sent = new Map<string, Sent>();
  for (const { name, type } of one.fields) {
    if (name === '') continue;
    const bare = /^List<(.*)>$/.exec(type)?.[1];
    // What may be unset as well is of no class in Java.
    const className = /^Object$/.test(bare ?? type) ? pascalCase(name) : (bare ?? type);
    const of = classNamed(className, one);
    const isPart = of !== undefined && of.values.length === 0;
    sent.set(name, {
      values: of?.values ?? [],
      fields: isPart ? sentBy(of) : undefined,
      isList: bare !== undefined,
    });
  }
  return sent;
}

function classNamed(name: string, from: JavaClass | undefined): JavaClass | undefined {
  if (from === undefined) return undefined;
  return from.nested.get(name) ?? classNamed(name, from.parent);
}

function pascalCase(name: string): string {
  return name.replace(/(?:^|_)([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
}
