import type { ExitCode, Problem } from '../core/error.ts';
import { EXIT, KeyauditError } from '../core/error.ts';
import { resolveGrant } from '../core/grant/grant.ts';
import type { PermissionEntry, Profile } from '../core/profile/profile.ts';
import { coverageOf, coverageProblems } from '../core/rules/coverage.ts';
import { lintProfile, sharedVariables } from '../core/rules/lint-profile.ts';
import { type Policy, unknownExceptions } from '../core/rules/policy.ts';
import { problemLines } from '../report/error.ts';
import { counted, paintFor } from '../report/text.ts';
import { type CommandContext, today } from '../session/context.ts';
import { loadCatalog } from '../session/load-catalog.ts';
import { openLibrary, openPolicy, policyProblems } from '../session/profile-grant.ts';
import { printResult } from '../session/result-output.ts';
import { type ProfileEntry, type ProfileLibrary, profileDigest } from '../store/profile-library.ts';

interface ProfileRow {
  readonly name: string;
  readonly file: string;
  readonly origin: 'own' | 'shipped';
  readonly variable: string | null;
  readonly description: string | null;
  readonly ok: boolean;
}

/** `keyaudit profiles list`: every profile that can be named. */
export async function listProfiles(context: CommandContext): Promise<ExitCode> {
  const library = openLibrary(context);
  const rows: ProfileRow[] = [];
  for (const entry of await library.entries()) {
    const reading = await library.read(entry);
    rows.push({
      name: reading.ok ? reading.profile.name : entry.stem,
      file: entry.file,
      origin: entry.origin,
      variable: reading.ok ? (reading.profile.env ?? null) : null,
      description: reading.ok ? (reading.profile.description ?? null) : null,
      ok: reading.ok,
    });
  }
  await printResult(context, {
    json: { schema: 'keyaudit.profiles/1', profiles: rows },
    table: (output) => {
      const paint = paintFor(output);
      for (const row of rows) {
        const mark = row.ok ? '' : paint.red(' (has mistakes; see "keyaudit profiles lint")');
        output.write(`${paint.bold(row.name)}${mark} ${paint.dim(`${row.origin}, ${row.file}`)}\n`);
        if (row.description !== null) output.write(`  ${row.description}\n`);
      }
    },
  });
  return EXIT.ok;
}

/** `keyaudit profiles show PROFILE`: the profile after `extends`. */
export async function showProfile(name: string, context: CommandContext): Promise<ExitCode> {
  const profile = await openLibrary(context).profile(name);
  await printResult(context, {
    json: { schema: 'keyaudit.profile/1', ...profileJson(profile) },
    table: (output) => {
      const paint = paintFor(output);
      const json = profileJson(profile);
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
      const flags = [
        profile.widening === 'strict' ? 'widening: strict' : '',
        profile.only ? 'only: true' : '',
        profile.rate === undefined ? '' : `rate: ${profile.rate}`,
      ];
      const set = flags.filter((flag) => flag !== '');
      if (set.length > 0) output.write(`\n${set.join('\n')}\n`);
    },
  });
  return EXIT.ok;
}

function profileJson(profile: Profile) {
  const entries = (list: readonly PermissionEntry[]) =>
    Object.fromEntries(
      list.map(({ name, level, why }) => [name, why === undefined ? { level } : { level, why }]),
    );
  const names = (checks: Profile['allow']) => checks.map((check) => check.operation);
  return {
    name: profile.name,
    description: profile.description ?? null,
    env: profile.env,
    file: profile.file,
    extends: profile.parents,
    digest: profileDigest(profile),
    permissions: entries(profile.permissions),
    connect_permissions: entries(profile.connectPermissions),
    checks: { allow: names(profile.allow), forbid: names(profile.forbid) },
    accept: profile.accept.map(({ operations, reason, until }) => ({
      operations: names(operations),
      reason,
      ...(until === undefined ? {} : { until }),
    })),
    widening: profile.widening,
    only: profile.only,
    ...(profile.rate === undefined ? {} : { rate: profile.rate }),
  };
}

interface LintResult {
  readonly file: string;
  readonly name: string;
  readonly errors: readonly Problem[];
  readonly warnings: Problem[];
  /** Permissions that no named check exercises, where `--min-coverage` asks for more. */
  readonly uncovered?: readonly Problem[];
  readonly profile?: Profile;
}

/** `keyaudit profiles lint [PROFILE…]`: every mistake in every file; exit 2 when there is one. Warnings pass. */
export async function lintProfiles(
  names: readonly string[],
  context: CommandContext,
  { minCoverage = 0 }: { minCoverage?: number } = {},
): Promise<ExitCode> {
  const library = openLibrary(context);
  const entries = names.length === 0 ? await library.entries() : await findAll(names, library);
  const policy = await openPolicy(context);
  const results: LintResult[] = [];
  for (const entry of entries)
    results.push(await lintEntry(entry, { library, policy, minCoverage }, context));
  if (policy !== undefined && names.length === 0) {
    const errors = unknownExceptions(
      policy,
      results.map((result) => result.name),
    );
    if (errors.length > 0) results.push({ file: policy.file, name: 'policy', errors, warnings: [] });
  }
  const sharing = sharedVariables(results.flatMap((result) => result.profile ?? []));
  for (const { profile, warnings } of results) {
    const shared = profile === undefined ? undefined : sharing.get(profile);
    if (shared !== undefined) warnings.push(shared);
  }
  const errors = results.flatMap((result) => result.errors);
  const warnings = results.flatMap((result) => result.warnings);
  const uncovered = results.flatMap((result) => result.uncovered ?? []);
  await printResult(context, {
    json: {
      schema: 'keyaudit.lint/1',
      ok: errors.length + uncovered.length === 0,
      profiles: results.map(({ profile: _, ...result }) => result),
    },
    table: (output) => {
      const paint = paintFor(output);
      for (const result of results) {
        const wrong = [...result.errors, ...(result.uncovered ?? [])];
        const mark = wrong.length === 0 ? paint.green('✔') : paint.red('✘');
        output.write(`${mark} ${result.name} ${paint.dim(result.file)}\n`);
        for (const problem of wrong) {
          output.write(`${problemLines(problem, paint.dim).join('\n')}\n`);
        }
        for (const problem of result.warnings) {
          const warning = { ...problem, message: `${paint.yellow('warning:')} ${problem.message}` };
          output.write(`${problemLines(warning, paint.dim).join('\n')}\n`);
        }
      }
      output.write(
        `${counted(entries.length, 'profile')}, ${counted(errors.length + uncovered.length, 'mistake')}, ${counted(warnings.length, 'warning')}\n`,
      );
    },
  });
  if (errors.length > 0) return EXIT.usage;
  return uncovered.length === 0 ? EXIT.ok : EXIT.findings;
}

async function findAll(names: readonly string[], library: ProfileLibrary): Promise<readonly ProfileEntry[]> {
  const entries: ProfileEntry[] = [];
  for (const name of names) entries.push(await library.find(name));
  return entries;
}

async function lintEntry(
  entry: ProfileEntry,
  {
    library,
    policy,
    minCoverage,
  }: { library: ProfileLibrary; policy: Policy | undefined; minCoverage: number },
  context: CommandContext,
): Promise<LintResult> {
  const { file } = entry;
  const reading = await library.read(entry);
  if (!reading.ok) return { file, name: entry.stem, errors: reading.problems, warnings: [] };
  const { name } = reading.profile;
  const catalog = loadCatalog();
  try {
    const profile = await library.resolve(reading.profile);
    const day = today(context);
    const grant = resolveGrant(profile, catalog, day);
    return {
      file,
      name,
      errors: [
        ...grant.contradictions,
        ...(policy === undefined ? [] : policyProblems(policy, profile, grant, context)),
      ],
      warnings: lintProfile(profile, grant, catalog, day),
      uncovered: coverageProblems(coverageOf(profile, grant, catalog), minCoverage, profile, catalog),
      profile,
    };
  } catch (error) {
    if (!(error instanceof KeyauditError)) throw error;
    const errors = error.problems.length > 0 ? error.problems : [{ message: error.message }];
    return { file, name, errors, warnings: [] };
  }
}
