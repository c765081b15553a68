import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { Catalog } from '../../../src/core/catalog/catalog.ts';
import { catalogData } from '../../../src/core/catalog/data/catalog.ts';
import type { Behaviour } from '../../../src/sandbox/faults/behaviour.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { type CliRun, KEYAUDIT, NODE, runCli, temporaryFolder } from '../run-cli.ts';
import { keyMaker } from '../sandbox-server.ts';

/** What a run printed, and its exit code. */
export interface Printed extends CliRun {
  /** Both streams, every gap one blank: what a terminal broke is one again. */
  readonly said: string;
}

/** A folder with the profile `mine`, perhaps a server elsewhere, and the CLI between them. */
export interface HintScene {
  readonly cwd: string;
  /** Behind `--target stripe --api-base`; only where the row is run elsewhere. */
  readonly sandbox: Sandbox | undefined;
  /** Runs words with the options that name the server, where there is one. */
  cli(line: string, more?: { env?: Record<string, string>; input?: string }): Promise<Printed>;
  /** Runs a line as it was printed: nothing is added. */
  asPrinted(line: string, more?: { env?: Record<string, string>; input?: string }): Promise<Printed>;
  write(file: string, text: string): Promise<void>;
  /** What the store holds for a variable; empty where that is nothing. */
  stored(variable?: string): Promise<string>;
  /** Ends a key at the server, as somebody else would. */
  expire(id: string): Promise<void>;
  /** Kills a run as soon as a file is there. */
  kill(line: string, file: string): Promise<void>;
  /** Ends what was started. */
  stop(): Promise<void>;
  /** Starts what runs until it is ended; resolves when it has said this. */
  start(line: string, said: RegExp, words?: { asPrinted: boolean }): Promise<Printed>;
}

export const BASE = 'name: mine\npermissions:\n  products: read\n  coupons: read\n';

/** @param elsewhere whether there is a server of its own, that every command must name */
export async function hintScene(elsewhere: boolean, behaviour: Partial<Behaviour> = {}): Promise<HintScene> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'profiles'));
  const sandbox = elsewhere
    ? await startSandbox({
        catalog: new Catalog(catalogData),
        behaviour: { expiryDelayMs: 0, narrowingDelayMs: 0, ...behaviour },
      })
    : undefined;
  if (sandbox !== undefined) onTestFinished(() => sandbox.close());
  const flags = sandbox === undefined ? [] : ['--target', 'stripe', '--api-base', sandbox.url];
  const env = {
    KEYAUDIT_RATE: '1000',
    // Said by the row itself, where it matters.
    KEYAUDIT_TARGET: '',
    ...(sandbox === undefined ? {} : { STRIPE_SECRET_KEY: sandbox.shownSecretKey }),
  };
  const run = async (
    words: readonly string[],
    { env: more = {}, input }: { env?: Record<string, string>; input?: string } = {},
  ) => {
    const printed = await runCli(words, { cwd, env: { ...env, ...more }, input });
    return { ...printed, said: `${printed.stdout}\n${printed.stderr}`.replace(/\s+/g, ' ') };
  };
  const write = async (file: string, text: string) => {
    await mkdir(join(cwd, file, '..'), { recursive: true });
    await writeFile(join(cwd, file), text);
  };
  await write('profiles/mine.yaml', BASE);
  const withFlags = (words: readonly string[]) => {
    const at = words.indexOf('--');
    return at < 0 ? [...words, ...flags] : [...words.slice(0, at), ...flags, ...words.slice(at)];
  };
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const one of stops.splice(0)) await one();
  };
  onTestFinished(stop);
  const started = (words: readonly string[]) =>
    execa(NODE, [KEYAUDIT, ...words], {
      cwd,
      env: { PATH: process.env.PATH ?? '', HOME: cwd, NO_COLOR: '1', ...env },
      extendEnv: false,
      reject: false,
      buffer: false,
    });
  return {
    cwd,
    sandbox,
    write,
    cli: (line, more) => run(withFlags(wordsOf(line)), more),
    asPrinted: async (line, more) => {
      let last: Printed | undefined;
      for (const command of line.split(' && ')) {
        const [name, ...words] = wordsOf(command);
        if (name !== 'keyaudit') throw new Error(`no command of keyaudit: ${command}`);
        last = await run(words, more);
        if (last.exitCode !== 0) break;
      }
      if (last === undefined) throw new Error('nothing to run');
      return last;
    },
    stored: async (variable = 'STRIPE_MINE_KEY') =>
      new RegExp(`^${variable}=(.*)$`, 'm').exec(
        await readFile(join(cwd, '.keyaudit/keys.env'), 'utf8').catch(() => ''),
      )?.[1] ?? '',
    expire: async (id) => {
      if (sandbox === undefined) throw new Error('there is no server');
      await keyMaker(sandbox.url, sandbox.shownSecretKey).expireKey(id);
    },
    stop,
    kill: async (line, file) => {
      const child = started(withFlags(wordsOf(line)));
      while (!existsSync(join(cwd, file))) {
        if (child.exitCode !== null) throw new Error(`${file} was never there`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      child.kill('SIGKILL');
      await child;
    },
    start: async (line, said, { asPrinted = false } = { asPrinted: false }) => {
      const words = wordsOf(line);
      const child = started(asPrinted ? words.slice(1) : withFlags(words));
      stops.push(async () => {
        child.kill('SIGTERM');
        await child;
      });
      let text = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (data: Buffer) => {
          text += data.toString('utf8');
        });
      while (!said.test(text.replace(/\s+/g, ' '))) {
        if (child.exitCode !== null) throw new Error(`ended too early: ${text}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return { exitCode: 0, stdout: text, stderr: '', said: text.replace(/\s+/g, ' ') };
    },
  };
}

/** The words of a line as a POSIX shell takes them; nothing else of a shell is there. */
function wordsOf(line: string): string[] {
  if (/[`$;|<>]/.test(line.replace(/'[^']*'|"[^"]*"/g, ''))) throw new Error(`needs a shell: ${line}`);
  return [...line.matchAll(/(?:'[^']*'|"[^"]*"|\\.|[^\s'"\\])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"|\\(.)/g, (_, single, double, plain) => single ?? double ?? plain ?? ''),
  );
}
