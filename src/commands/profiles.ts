import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { resolveGrant } from '../core/grant/grant.ts';
import { coverageOf, coverageProblems } from '../core/rules/coverage.ts';
import { lintProfile, sharedVariables } from '../core/rules/lint-profile.ts';
import { unknownExceptions } from '../core/rules/policy.ts';
import {
  type LintResult,
  lintJson,
  type ProfileRow,
  profileJson,
  profilesJson,
  renderLintMarkdown,
  renderLintTable,
  renderProfilesTable,
  renderProfileTable,
} from '../report/profiles.ts';
import { type CommandContext, today } from '../session/context.ts';
import { policyProblems } from '../session/profile-grant.ts';
import { printResult } from '../session/result-output.ts';
import { openSession, type Session } from '../session/session.ts';
import { profileDigest } from '../store/files/profile-digest.ts';
import type { ProfileEntry, ProfileLibrary } from '../store/profile-library.ts';

/** `keyaudit profiles list`: every profile that can be named. */
export async function listProfiles(context: CommandContext): Promise<ExitCode> {
  const session = await openSession(context);
  const rows: ProfileRow[] = [];
  for (const entry of await session.library.entries()) {
    const reading = await session.library.read(entry);
    rows.push({
      name: reading.ok ? reading.profile.name : entry.stem,
      file: entry.file,
      origin: entry.origin,
      variable: reading.ok ? (reading.profile.env ?? null) : null,
      description: reading.ok ? (reading.profile.description ?? null) : null,
      ok: reading.ok,
    });
  }
  await printResult(session, {
    json: profilesJson(rows),
    table: (output) => renderProfilesTable(rows, output),
  });
  return EXIT.ok;
}

/** `keyaudit profiles show PROFILE`: the profile after `extends`. */
export async function showProfile(name: string, context: CommandContext): Promise<ExitCode> {
  const session = await openSession(context);
  const profile = await session.library.profile(name);
  const digest = profileDigest(profile);
  await printResult(session, {
    json: profileJson(profile, digest),
    table: (output) => renderProfileTable(profile, digest, output),
  });
  return EXIT.ok;
}

/** `keyaudit profiles lint [PROFILE…]`: every mistake in every file; exit 2 when there is one. Warnings pass. */
export async function lintProfiles(
  names: readonly string[],
  context: CommandContext,
  { minCoverage = 0 }: { minCoverage?: number } = {},
): Promise<ExitCode> {
  const session = await openSession(context);
  const { library } = session;
  const entries = names.length === 0 ? await library.entries() : await findAll(names, library);
  const policy = await session.policy();
  const results: LintResult[] = [];
  for (const entry of entries) results.push(await lintEntry(entry, minCoverage, session));
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
  await printResult(session, {
    json: lintJson(results),
    table: (output) => renderLintTable(results, entries.length, output),
    markdown: (output) => renderLintMarkdown(results, entries.length, output),
  });
  if (results.some(({ errors }) => errors.length > 0)) return EXIT.usage;
  return results.every(({ uncovered = [] }) => uncovered.length === 0) ? EXIT.ok : EXIT.findings;
}

async function findAll(names: readonly string[], library: ProfileLibrary): Promise<readonly ProfileEntry[]> {
  const entries: ProfileEntry[] = [];
  for (const name of names) entries.push(await library.find(name));
  return entries;
}

async function lintEntry(entry: ProfileEntry, minCoverage: number, session: Session): Promise<LintResult> {
  const { library, catalog } = session;
  const policy = await session.policy();
  const { file } = entry;
  const reading = await library.read(entry);
  if (!reading.ok) return { file, name: entry.stem, errors: reading.problems, warnings: [] };
  const { name } = reading.profile;
  try {
    const profile = await library.resolve(reading.profile);
    const day = today(session);
    const grant = resolveGrant(profile, catalog, day);
    return {
      file,
      name,
      errors: [
        ...grant.contradictions,
        ...(policy === undefined ? [] : policyProblems(policy, profile, grant, session)),
      ],
      warnings: lintProfile(profile, grant, catalog, day),
      uncovered:
        minCoverage > 0
          ? coverageProblems(coverageOf(profile, grant, catalog), minCoverage, profile, catalog)
          : [],
      profile,
    };
  } catch (error) {
    if (!(error instanceof KeyauditError)) throw error;
    const errors = error.problems.length > 0 ? error.problems : [{ message: error.message }];
    return { file, name, errors, warnings: [] };
  }
}
