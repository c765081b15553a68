import type { Problem } from '../core/error.ts';
import { guardDocument } from '../core/profile/guard-section.ts';
import type { PermissionEntry, Profile } from '../core/profile/profile.ts';
import { firstProblems, placeOf } from './error.ts';
import { capLines } from './guard/cap-lines.ts';
import { code, escapeMarkdown, row } from './markdown-text.ts';
import { counted, paintFor, type TextOutput } from './text.ts';

/** A profile file as `profiles list` shows it. */
export interface ProfileRow {
  readonly name: string;
  readonly file: string;
  readonly origin: 'own' | 'shipped';
  readonly variable: string | null;
  readonly description: string | null;
  readonly ok: boolean;
}

/** `profiles list --format json`, schema `keyaudit.profiles/1`. */
export function profilesJson(profiles: readonly ProfileRow[]): unknown {
  return { schema: 'keyaudit.profiles/1', profiles };
}

export function renderProfilesTable(rows: readonly ProfileRow[], output: TextOutput): void {
  const paint = paintFor(output);
  for (const row of rows) {
    const mark = row.ok ? '' : paint.red(' (has mistakes; see "keyaudit profiles lint")');
    output.write(`${paint.bold(row.name)}${mark} ${paint.dim(`${row.origin}, ${row.file}`)}\n`);
    if (row.description !== null) output.write(`  ${row.description}\n`);
  }
}

/** `profiles show --format json`, schema `keyaudit.profile/1`. @param digest of what the profile says */
export function profileJson(profile: Profile, digest: string) {
  const entries = (list: readonly PermissionEntry[]) =>
    Object.fromEntries(
      list.map(({ name, level, why }) => [name, why === undefined ? { level } : { level, why }]),
    );
  const names = (checks: Profile['allow']) => checks.map((check) => check.operation);
  return {
    schema: 'keyaudit.profile/1',
    name: profile.name,
    description: profile.description ?? null,
    env: profile.env,
    file: profile.file,
    extends: profile.parents,
    digest,
    permissions: entries(profile.permissions),
    connect_permissions: entries(profile.connectPermissions),
    checks: { allow: names(profile.allow), forbid: names(profile.forbid) },
    accept: profile.accept.map(({ operations, reason, until }) => ({
      operations: names(operations),
      reason,
      until,
    })),
    widening: profile.widening,
    only: profile.only,
    rate: profile.rate,
    guard: profile.guard === undefined ? undefined : guardDocument(profile.guard),
  };
}

export function renderProfileTable(profile: Profile, digest: string, output: TextOutput): void {
  const paint = paintFor(output);
  const json = profileJson(profile, digest);
  output.write(`${paint.bold(profile.name)} ${paint.dim(profile.file)}\n`);
  if (profile.description !== undefined) output.write(`${profile.description}\n`);
  if (profile.parents.length > 0) output.write(`extends ${profile.parents.join(', ')}\n`);
  output.write(`variable ${profile.env}, digest ${json.digest}\n`);
  for (const [title, entries] of [
    ['permissions', profile.permissions],
    ['connect permissions', profile.connectPermissions],
  ] as const) {
    if (entries.length === 0) continue;
    output.write(`\n${paint.bold(title)}\n`);
    for (const entry of entries)
      output.write(
        `  ${entry.name}: ${entry.level}${paint.dim(entry.why === undefined ? '' : `  ${entry.why}`)}\n`,
      );
  }
  for (const [title, names] of [
    ['must work', json.checks.allow],
    ['must be refused', json.checks.forbid],
  ] as const) {
    if (names.length > 0)
      output.write(`\n${paint.bold(title)}\n${names.map((one) => `  ${one}\n`).join('')}`);
  }
  if (profile.accept.length > 0) output.write(`\n${paint.bold('accepted')}\n`);
  for (const { operations, reason, until } of json.accept) {
    output.write(
      `  ${operations.join(', ')}\n    ${reason}${until === undefined ? '' : ` (until ${until})`}\n`,
    );
  }
  if (profile.guard !== undefined) {
    output.write(`\n${paint.bold('through the guard')}\n`);
    for (const line of capLines(profile.guard)) output.write(`  ${line}\n`);
  }
  const flags = [
    profile.widening === 'strict' ? 'widening: strict' : '',
    profile.only ? 'only: true' : '',
    profile.rate === undefined ? '' : `rate: ${profile.rate}`,
  ];
  const set = flags.filter((flag) => flag !== '');
  if (set.length > 0) output.write(`\n${set.join('\n')}\n`);
}

/** What `profiles lint` found in one file. */
export interface LintResult {
  readonly file: string;
  readonly name: string;
  readonly errors: readonly Problem[];
  readonly warnings: Problem[];
  /** Permissions that no named check exercises, where `--min-coverage` asks for more. */
  readonly uncovered?: readonly Problem[];
  readonly profile?: Profile;
}

/** `profiles lint --format json`, schema `keyaudit.lint/1`. */
export function lintJson(results: readonly LintResult[]): unknown {
  return {
    schema: 'keyaudit.lint/1',
    ok: results.every(({ errors, uncovered = [] }) => errors.length + uncovered.length === 0),
    profiles: results.map(({ profile: _, ...result }) => result),
  };
}

/** @param files how many profiles were read */
export function renderLintTable(results: readonly LintResult[], files: number, output: TextOutput): void {
  const count = (list: (result: LintResult) => readonly Problem[]) =>
    results.reduce((sum, result) => sum + list(result).length, 0);
  const mistakes = count(({ errors, uncovered = [] }) => [...errors, ...uncovered]);
  const warnings = count((result) => result.warnings);
  const paint = paintFor(output);
  for (const result of results) {
    const wrong = [...result.errors, ...(result.uncovered ?? [])];
    const mark = wrong.length === 0 ? paint.green('✔') : paint.red('✘');
    output.write(`${mark} ${result.name} ${paint.dim(result.file)}\n`);
    const warned = result.warnings.map((problem) => ({
      ...problem,
      message: `${paint.yellow('warning:')} ${problem.message}`,
    }));
    const lines = [...firstProblems(wrong, paint.dim), ...firstProblems(warned, paint.dim, 'warning')];
    for (const line of lines) output.write(`${line}\n`);
  }
  output.write(
    `${counted(files, 'profile')}, ${counted(mistakes, 'mistake')}, ${counted(warnings, 'warning')}\n`,
  );
}

/** `profiles lint --format markdown`: every mistake with its line. */
export function renderLintMarkdown(
  results: readonly LintResult[],
  files: number,
  { write }: TextOutput,
): void {
  const rows = results.flatMap(({ errors, warnings, uncovered = [] }) => [
    ...[...errors, ...uncovered].map((problem) => ({ mark: '❌', problem })),
    ...warnings.map((problem) => ({ mark: '⚠️', problem })),
  ]);
  const mistakes = rows.filter(({ mark }) => mark === '❌').length;
  const words = `${counted(files, 'profile')}, ${counted(mistakes, 'mistake')}, ${counted(rows.length - mistakes, 'warning')}`;
  write(`## keyaudit profiles lint: ${mistakes > 0 ? '❌' : '✅'} ${words}\n`);
  if (rows.length === 0) return;
  write(`\n${row(['', 'What', 'What to do', 'Line'])}${row(['---', '---', '---', '---'])}`);
  for (const { mark, problem } of rows) {
    const { message, hint = '', location } = problem;
    write(
      row([
        mark,
        escapeMarkdown(message),
        escapeMarkdown(hint),
        location === undefined ? '' : code(placeOf(location)),
      ]),
    );
  }
}
