import { statSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { KeyauditError, type Problem } from '../../core/error.ts';
import { readSettings } from '../../core/settings/read-settings.ts';
import type { SettingName, Settings } from '../../core/settings/settings.ts';
import { SETTINGS_FILE } from '../../core/settings/settings-file-name.ts';
import { readTextFile } from '../files/read-text-file.ts';
import { staysBelow } from '../files/stays-below.ts';

/**
 * Reads the settings file of a project.
 * @param from the working folder; a file above it counts only if it belongs to this user or to the owner of `from`
 * @throws KeyauditError `SETTINGS_INVALID` with all its mistakes, or `SETTINGS_UNREADABLE`
 */
export async function readSettingsFile(folder: string, from: string): Promise<Settings> {
  const path = join(folder, SETTINGS_FILE);
  const shown = relative(from, path) || SETTINGS_FILE;
  requireKnownOwner(path, shown, from);
  if (!(await staysBelow(path, await realpath(folder)))) {
    // What it says would be shown, mistake by mistake.
    throw new KeyauditError('SETTINGS_UNREADABLE', `${shown} is a link that leads out of its folder.`, {
      hint: 'It may have come with the checkout. Remove it, or write a file in its place.',
    });
  }
  const text = await readTextFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new KeyauditError('SETTINGS_UNREADABLE', `${shown} cannot be read (${cause.code}).`, {
      hint: 'Check that it is a file that you may read.',
      cause,
    });
  });
  const reading = readSettings(text, shown);
  const problems = reading.ok ? await linksIn(reading.settings, folder) : reading.problems;
  if (reading.ok && problems.length === 0) {
    return folder === from
      ? reading.settings
      : { ...reading.settings, values: seenFrom(folder, reading.settings) };
  }
  const count = problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`;
  throw new KeyauditError('SETTINGS_INVALID', `${shown} has ${count}.`, { problems });
}

/** The paths of a file that lies above the working folder, from the root. */
function seenFrom(folder: string, { values }: Settings): Settings['values'] {
  const whole = (text: string, head: RegExp) =>
    text.replace(head, (_, before: string, path: string) => before + join(folder, path));
  return {
    ...values,
    store: values.store === undefined ? undefined : whole(values.store, /^(env-file:)(.+)$/),
    reports: values.reports?.map((text) => whole(text, /^([a-z]+=)(.+)$/)),
  };
}

/** As git does with repositories: what another user put above the working folder is not obeyed. */
function requireKnownOwner(path: string, shown: string, from: string): void {
  if (dirname(path) === from || process.getuid === undefined) return;
  const { uid } = statSync(path);
  if (uid === process.getuid() || uid === statSync(from).uid) return;
  throw new KeyauditError('SETTINGS_UNREADABLE', `${shown} belongs to another user.`, {
    hint: 'Remove it, or work in a folder with settings of your own.',
  });
}

/** A path that a checkout names must lead nowhere else by a link. */
async function linksIn({ values, locate }: Settings, folder: string): Promise<readonly Problem[]> {
  const paths: (readonly [SettingName, string])[] = [
    ...(values.reports ?? []).map((text) => ['reports', text.replace(/^[a-z]+=/, '')] as const),
    ...(values.store === undefined ? [] : [['store', values.store.replace(/^env-file:?/, '')] as const]),
    ...(values.profiles === undefined ? [] : [['profiles', values.profiles] as const]),
  ];
  const root = await realpath(folder);
  const problems: Problem[] = [];
  for (const [name, path] of paths) {
    if (path === '' || (await staysBelow(resolve(folder, path), root))) continue;
    problems.push({
      message: `${path} is a link that leads elsewhere.`,
      location: locate(name),
      hint: 'Name a place in this project, or say it on the command line.',
    });
  }
  return problems;
}
