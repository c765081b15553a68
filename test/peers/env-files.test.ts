import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parse as parseDotenv } from 'dotenv';
import { execaSync } from 'execa';
import { describe, expect, it } from 'vitest';
import { ENV_FILES } from '../support/env-files.ts';
import { findPeer } from '../support/peer.ts';
import { scene } from '../support/scene.ts';

const compose = await findPeer('compose-env', "what docker compose's own reader sees in env files");

const NAME = 'STRIPE_AGENT_KEY';
/** Where the key's line stands already. */
const PLACES = [
  ['nowhere yet', (text: string) => text, ENV_FILES],
  [
    'first',
    (text: string) =>
      text.replace(/^\uFEFF?/, (mark) => `${mark}${NAME}=old${/\r\n/.test(text) ? '\r\n' : '\n'}`),
    ENV_FILES.filter((_file, index) => index % 4 === 0 || index < 12),
  ],
] as const;

type Reader = (file: string) => Record<string, string | undefined>;

const READERS: Readonly<Record<string, Reader>> = {
  // Node takes a byte order mark for a part of the first name.
  node: (file) => ({ ...parseEnv(file.replace(/^\uFEFF/, '')) }),
  dotenv: (file) => ({ ...parseDotenv(file) }),
  ...(compose.missing
    ? {}
    : {
        'docker compose': (file: string) =>
          JSON.parse(execaSync(compose.file, { input: file }).stdout) as Record<string, string>,
      }),
};

/** What a reader sees beside the key; `refused` where it takes the file for none. */
function othersIn(read: Reader, file: string): unknown {
  try {
    const { [NAME]: _own, ...others } = read(file);
    return others;
  } catch {
    return 'refused';
  }
}

/** Without the line of the key, and the line break that one needed before it. */
const without = (file: string) =>
  file
    .replace(new RegExp(`(^|\\n)(\uFEFF?)${NAME} ?=(?:rk_test_\\w{20,}|old)(?:\\r?\\n|$)`), '$1$2')
    .replace(/[\r\n]+$/, '');

/** A few at a time, so that no test takes minutes. */
function portionsOf(files: typeof ENV_FILES): readonly (readonly [names: string, files: typeof ENV_FILES])[] {
  const starts = files.map((_file, index) => index).filter((index) => index % 8 === 0);
  return starts.map((start) => {
    const portion = files.slice(start, start + 8);
    return [portion.map(([name]) => name).join(', '), portion];
  });
}

it('there are at least forty', () => {
  expect(ENV_FILES.length).toBeGreaterThanOrEqual(40);
});

describe.each(PLACES)('provision, rotate and revoke, the line of the key %s', (_place, put, all) => {
  it.each(portionsOf(all))('leave every other byte of %s, and what readers see', async (_names, files) => {
    const { cwd, run } = await scene();
    await mkdir(join(cwd, 'profiles'));
    const wrong: string[] = [];
    for (const [index, [name, original]] of files.entries()) {
      const file = join(cwd, `f${index}.env`);
      const before = put(original);
      const agent = `agent-${index}`;
      await writeFile(
        join(cwd, `profiles/${agent}.yaml`),
        `name: ${agent}\nenv: ${NAME}\npermissions: { coupons: read }\n`,
      );
      await writeFile(file, before);
      const seen = Object.fromEntries(
        Object.entries(READERS).map(([reader, read]) => [reader, othersIn(read, before)]),
      );
      for (const command of [
        ['provision', agent, '--store', `env-file:f${index}.env`],
        ['rotate', agent],
        ['revoke', agent, '--no-wait'],
      ]) {
        const { exitCode, stderr } = await run(command);
        const after = await readFile(file, 'utf8');
        if (exitCode !== 0) wrong.push(`${name}: ${command[0]} ${exitCode} ${stderr}`);
        if (without(after) !== without(before))
          wrong.push(`${name}: ${command[0]} changed ${JSON.stringify(after)}`);
        const sees = Object.fromEntries(
          Object.entries(READERS).map(([reader, read]) => [reader, othersIn(read, after)]),
        );
        if (JSON.stringify(sees) !== JSON.stringify(seen)) {
          wrong.push(`${name}: after ${command[0]} ${JSON.stringify(sees)}, before ${JSON.stringify(seen)}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});
