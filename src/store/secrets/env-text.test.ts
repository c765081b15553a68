import { parseEnv } from 'node:util';
import { parse as parseDotenv } from 'dotenv';
import { describe, expect, it } from 'vitest';
import { parseComposeEnv } from '../../../test/support/parse-compose-env.ts';
import { valueIn, withoutVariable, withVariable } from './env-text.ts';

const NAME = 'STRIPE_AGENT_KEY';
const KEY = 'rk_test_51AbCdEf0123456789';
const OLD = 'rk_test_old';

const PEM = '-----BEGIN PRIVATE KEY-----\nMIIB+/=\nSTRIPE_AGENT_KEY=inside\n-----END PRIVATE KEY-----';

/** Env files as people have them; every second half stands before the key's line, or there is none yet. */
const FILES: readonly (readonly [name: string, text: string])[] = [
  ['empty', ''],
  ['one line', 'A=1\n'],
  ['no newline at the end', 'A=1'],
  ['a comment at the end, no newline', 'A=1\n# end'],
  ['blank lines', '\n\nA=1\n\n\nB=2\n\n'],
  ['CRLF', 'A=1\r\nB=2\r\n'],
  ['CRLF, no newline at the end', 'A=1\r\nB=2'],
  ['mixed line ends', 'A=1\r\nB=2\nC=3\r\n'],
  ['a byte order mark', '\uFEFFA=1\nB=2\n'],
  ['only a byte order mark', '\uFEFF'],
  ['dollars', 'PASSWORD=pa$$w0rd\nPRICE=$5\n'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an env file's, not JavaScript's
  ['interpolation', 'HOST=db\nURL=postgres://${HOST}:5432/${NAME:-x}\n'],
  ['a bcrypt hash', "HASH='$2b$10$abcdefghijklmnopqrstuv'\n"],
  ['JSON in single quotes', `CONFIG='{"a": "b # c", "d": [1, 2]}'\n`],
  ['JSON without quotes', 'CONFIG={"a":1}\n'],
  ['a PEM with \\n', 'PEM="-----BEGIN-----\\nMIIB\\n-----END-----\\n"\n'],
  ['a PEM over several lines', `PEM="${PEM}"\nB=2\n`],
  ['a PEM in single quotes', `PEM='${PEM}'\nB=2\n`],
  ['a PEM over several lines at the end', `PEM="${PEM}"`],
  ['a comment after a value', 'A=1 # one\nB=2\t# two\n'],
  ['a comment after a quoted value', 'A="1 # not" # one\n'],
  ['a hash in a value', 'COLOUR="#fff"\nURL=https://a.b/c#d\n'],
  ['a comment with a quote', "# don't touch\nA=1\n"],
  ['a comment with an assignment', '# STRIPE_AGENT_KEY=x\n#STRIPE_AGENT_KEY=y\nA=1\n'],
  ['export', 'export A=1\nexport  B="2"\n'],
  ['export without a value', 'A=1\nexport A\n'],
  ['a name alone', 'A=1\nPASSED_ON\n'],
  ['dotted and dashed names', 'spring.datasource.url=x\nmy-app=y\n'],
  ['names that begin or end alike', 'STRIPE_AGENT_KEY_2=a\nMY_STRIPE_AGENT_KEY=b\nSTRIPE_AGENT_KEY.x=c\n'],
  ['lower case of the same name', 'stripe_agent_key=low\n'],
  ['the name in a value', 'A=STRIPE_AGENT_KEY=x\nB="STRIPE_AGENT_KEY=y"\n'],
  ['blanks around the sign', 'A = 1\nB  =2\nC= 3\n'],
  ['indented', '  A=1\n\tB=2\n'],
  ['empty values', 'A=\nB=""\nC=\'\'\n'],
  ['duplicates', 'A=1\nA=2\n'],
  ['an equals sign in a value', 'A=b=c==\n'],
  ['a backslash at the end (systemd)', 'A=one \\\n'],
  ['a backslash at the very end', 'A=one\\'],
  ['Windows paths', 'DIR=C:\\new\\table\nQ="C:\\\\x"\n'],
  ['Unicode', 'NAME=Zoë 🙂\nCITY=東京\n'],
  ['an apostrophe in a value', "A=don't\nB=2\n"],
  ['a quote that never closes', 'A="open\nB=2\n'],
  ['a semicolon comment (systemd)', '; systemd\nA=1\n'],
  ['trailing blanks', 'A=1   \nB=2\t\n'],
  ['a long file', Array.from({ length: 300 }, (_, index) => `V${index}=${index}\n`).join('')],
  ['base64', 'A=aGVsbG8gd29ybGQ=\nB=+/8=\n'],
  ['quotes in quotes', `A="it's"\nB='say "x"'\n`],
];

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

describe.each(FILES)('an env file with %s', (_name, before) => {
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
