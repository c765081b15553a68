import { parseEnv } from 'node:util';
import { parse as parseDotenv } from 'dotenv';
import { describe, expect, it } from 'vitest';
import { ENV_FILES } from '../../../test/support/env-files.ts';
import { parseComposeEnv } from '../../../test/support/parse-compose-env.ts';
import { valueIn, withoutVariable, withVariable } from './env-text.ts';

const NAME = 'STRIPE_AGENT_KEY';
const KEY = 'rk_test_51AbCdEf0123456789';
const OLD = 'rk_test_old';

/** The key's own line as it may stand there already. */
const OWN_LINES: readonly (readonly [line: string, after: string])[] = [
  [`${NAME}=${OLD}`, `${NAME}=${KEY}`],
  [`export ${NAME}="${OLD}"`, `export ${NAME}=${KEY}`],
  [`${NAME} = '${OLD}' # ours`, `${NAME} =${KEY}`],
  [`${NAME}=`, `${NAME}=${KEY}`],
];

const bytes = (text: string) => Buffer.from(text).toString('latin1');
const text = (latin: string) => Buffer.from(latin, 'latin1').toString('utf8');

const READERS = {
  // Node takes a byte order mark for a part of the first name.
  node: (file: string) => ({ ...parseEnv(file.replace(/^\uFEFF/, '')) }),
  dotenv: (file: string) => ({ ...parseDotenv(file) }),
  'docker compose': parseComposeEnv,
} satisfies Record<string, (file: string) => Record<string, string | undefined>>;

/** What a reader sees beside the key; undefined where it refuses the file. */
function othersIn(reader: (file: string) => Record<string, string | undefined>, file: string): unknown {
  try {
    const { [NAME]: _own, ...others } = reader(file);
    return others;
  } catch {
    return undefined;
  }
}

function set(before: string, value: string): string {
  const changed = withVariable(bytes(before), NAME, value, false);
  if (!('text' in changed)) throw new Error(`line ${changed.brokenLine} is broken`);
  return text(changed.text);
}

const without = (file: string, value: string) => text(withoutVariable(bytes(file), NAME, value));

describe.each(ENV_FILES)('an env file with %s', (_name, before) => {
  it('keeps every byte when the key comes, changes and goes', () => {
    const added = set(before, OLD);
    expect(added.startsWith(before) || added.endsWith(before.replace(/^\uFEFF/, ''))).toBe(true);
    const changed = set(added, KEY);
    expect(changed).toBe(added.replace(OLD, KEY));
    expect(without(changed, OLD)).toBe(changed);
    const gone = without(changed, KEY);
    // A line break that systemd needed before the key's line stays.
    expect(gone.replace(/(\\\r?\n)\r?\n$/, '$1').replace(/\\\n$/, '\\')).toBe(before.replace(/\\\n$/, '\\'));
  });

  it.each(Object.entries(READERS))('%s sees the key, and the same beside it', (_reader, read) => {
    const others = othersIn(read, before);
    const changed = set(set(before, OLD), KEY);
    if (others === undefined) return expect(othersIn(read, changed)).toBeUndefined();
    expect(othersIn(read, changed)).toEqual(others);
    expect(read(changed)[NAME]).toBe(KEY);
    return undefined;
  });

  it.each(OWN_LINES)('changes %j where it stands', (line, after) => {
    const eol = before.includes('\r\n') ? '\r\n' : '\n';
    const marked = before.startsWith('\uFEFF');
    const file = `${marked ? '\uFEFF' : ''}FIRST=1${eol}${line}${eol}${marked ? before.slice(1) : before}`;
    expect(set(file, KEY)).toBe(file.replace(line, after));
    expect(valueIn(bytes(set(file, KEY)), NAME)).toBe(KEY);
  });
});

it('changes the last of several lines of the key, which is the one that counts', () => {
  const file = `${NAME}=first\nA=1\n${NAME}=second\n`;
  expect(set(file, KEY)).toBe(`${NAME}=first\nA=1\n${NAME}=${KEY}\n`);
});

it('takes a shell script as it is, and says which line of another file is none', () => {
  const script = bytes('source_up\nPATH_add bin\nexport A=$(cat x)\n');
  expect(withVariable(script, NAME, KEY, true)).toEqual({ text: `${script}${NAME}=${KEY}\n` });
  expect(withVariable(bytes('A=1\nthis is none\n'), NAME, KEY, false)).toEqual({ brokenLine: 2 });
});

it('keeps bytes that are not UTF-8', () => {
  const file = Buffer.from([0x41, 0x3d, 0xff, 0xfe, 0x0a]).toString('latin1');
  expect(withVariable(file, NAME, KEY, false)).toEqual({ text: `${file}${NAME}=${KEY}\n` });
});
