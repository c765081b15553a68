import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sent, SentCalls, SentFields } from './sent.ts';

/**
 * One struct is for several calls of its resource, so that what one of them takes is there for the others as well:
 * `together` are the calls of one struct.
 */
export interface GoSdk {
  readonly calls: SentCalls;
  readonly together: ReadonlyMap<string, readonly string[]>;
}

/** @param dir a module of stripe-go of any major from 72 on */
export function readGoSdk(dir: string): GoSdk {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.go') && !file.endsWith('_test.go'))
    .sort()
    .map((file) => ({ isRoot: !file.includes('/'), code: readFileSync(join(dir, file), 'utf8') }));
  const structs = new Map(
    files
      .filter(({ isRoot }) => isRoot)
      .flatMap(({ code }) =>
        [...code.matchAll(STRUCT)].map(([, name = '', body = '']) => [name, body] as const),
      ),
  );
  const calls = new Map<string, SentFields>();
  const together = new Map<string, string[]>();
  for (const { code } of files) {
    for (const { call, params } of callsIn(code)) {
      if (calls.has(call)) continue;
      calls.set(call, sentBy(params, structs, []));
      const [method] = call.split(' ');
      const key = `${method} ${params}`;
      together.set(key, [...(together.get(key) ?? []), call]);
    }
  }
  const byCall = new Map([...together.values()].flatMap((of) => of.map((call) => [call, of] as const)));
  return { calls, together: byCall };
}

const STRUCT = /^type (\w+Params) struct \{\n([\s\S]*?)^\}/gm;
const METHOD = /^func \(c \w+\) \w+\(([\s\S]*?)\) [^\n]*\{\n([\s\S]*?)^\}/gm;

function* callsIn(code: string): Generator<{ readonly call: string; readonly params: string }> {
  for (const [, signature = '', body = ''] of code.matchAll(METHOD)) {
    const params = /[pP]arams \*(?:stripe\.)?(\w+Params)/.exec(signature)?.[1];
    const path = /"(\/v1\/[^"]*)"/.exec(body)?.[1];
    const method = /http\.Method(\w+)/.exec(body)?.[1]?.toUpperCase();
    if (params === undefined || path === undefined || method === undefined) continue;
    // What retrieves an object has the parameters of its create, by the name of the struct alone.
    if (method !== 'POST' && !/List|Search|Upcoming/.test(params)) continue;
    yield { call: `${method} ${path.replaceAll('%s', '{id}')}`, params };
  }
}

const FIELD = /^\t(?:\w+ +)?(\[\])?\*?(?:\[\])?\*?(\w+)[^`\n]*`form:"([^"]*)"/gm;

function sentBy(name: string, structs: ReadonlyMap<string, string>, within: readonly string[]): SentFields {
  const sent = new Map<string, Sent>();
  if (within.includes(name)) return sent;
  for (const [line, list, type = '', form = ''] of (structs.get(name) ?? '').matchAll(FIELD)) {
    const [key = ''] = form.split(',');
    const fields = structs.has(type) ? sentBy(type, structs, [...within, name]) : undefined;
    if (key === '*' && /^\t\w+ +`/.test(line)) for (const one of fields ?? []) sent.set(...one);
    // Written by code of its own.
    if (key === '*' || key === '-' || key === '') continue;
    sent.set(key, { values: [], fields, isList: list !== undefined });
  }
  return sent;
}
