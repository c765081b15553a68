import { byPosition, shapeProblems } from '../document/shape-problem.ts';
import { readYaml } from '../document/yaml-source.ts';
import type { Problem } from '../error.ts';
import { NEVER_SETTINGS, type Settings, settingsSchema } from './settings.ts';

/** A settings file, or all that is wrong with it. */
export type SettingsReading =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads `keyaudit.config.yaml`; all its mistakes at once, each with its line. An empty file sets nothing. */
export function readSettings(text: string, file: string): SettingsReading {
  const source = readYaml(text, file);
  if (source.problems.length > 0) return { ok: false, problems: source.problems };
  const shape = settingsSchema.safeParse(source.value ?? {});
  if (!shape.success) {
    const problems = shape.error.issues
      .flatMap((issue) => shapeProblems(issue, source, () => Object.keys(settingsSchema.shape)))
      .map(withWay);
    return { ok: false, problems: problems.sort(byPosition) };
  }
  return {
    ok: true,
    settings: { file, values: shape.data, locate: (name) => source.valueAt([name]) },
  };
}

/** What a file may never say gets the way that there is for it, and not the nearest name. */
function withWay(problem: Problem): Problem {
  const key = /^Unknown key "(.+?)"/.exec(problem.message)?.[1] ?? '';
  const way = NEVER_SETTINGS[key];
  return way === undefined
    ? problem
    : { ...problem, message: `A settings file may not say "${key}".`, hint: way };
}
