import { relative } from 'node:path';
import { EXIT, type ExitCode } from '../core/error.ts';
import { KEY_API_CHOICES } from '../core/key-api.ts';
import { SETTING_NAMES, type SettingName } from '../core/settings/settings.ts';
import { TARGETS } from '../core/target.ts';
import { configJson, type HeldSetting, renderConfigTable } from '../report/settings/config.ts';
import type { CommandContext } from '../session/context.ts';
import { printResult } from '../session/result-output.ts';
import { DEFAULT_STORE } from '../store/secrets/env-file-store.ts';

/** What holds where nobody says anything. */
const DEFAULTS: Readonly<Record<SettingName, string>> = {
  target: TARGETS[0],
  'api-base': "the target's own",
  depth: 'that of the lock file, else permissions',
  witness: 'auto',
  rate: 'by target and mode',
  store: `env-file:${DEFAULT_STORE}`,
  'key-api': KEY_API_CHOICES[0],
  reports: 'none',
  profiles: 'profiles',
};

/** Settings that an environment variable can give, beside those of every command. */
const VARIABLES: Partial<Record<SettingName, string>> = {
  target: 'KEYAUDIT_TARGET',
  'api-base': 'KEYAUDIT_API_BASE',
  depth: 'KEYAUDIT_DEPTH',
  witness: 'KEYAUDIT_WITNESS',
  rate: 'KEYAUDIT_RATE',
  store: 'KEYAUDIT_STORE',
  'key-api': 'KEYAUDIT_KEY_API',
};

/** `keyaudit config`: what holds here, and from where; asks nobody, and reads no key. */
export async function config(context: CommandContext): Promise<ExitCode> {
  const { project, cwd, from } = context;
  const report = {
    project: cwd,
    file: project.settings === undefined ? undefined : relative(from, project.settings.file) || undefined,
    settings: [...SETTING_NAMES.map((name) => held(name, context)), ...switches(context)],
    withheld:
      project.serverRefused === undefined
        ? []
        : [`${project.serverRefused.message} ${project.serverRefused.hint}`],
  };
  await printResult(context, {
    json: configJson(report),
    table: (output) => renderConfigTable(report, output),
  });
  return EXIT.ok;
}

function held(name: SettingName, { project, env, globals }: CommandContext): HeldSetting {
  const said = project.sources[name];
  const variable = VARIABLES[name];
  if (said?.from === 'cli') return { name, value: String(said.value), from: 'command line' };
  const given = variable === undefined ? undefined : env[variable];
  if (given !== undefined) return { name, value: given, from: 'environment', variable };
  const value = project.settings?.values[name];
  const isHeld = name !== 'api-base' && (name !== 'target' || globals.target === value);
  if (value !== undefined && isHeld) {
    const text = Array.isArray(value) ? value.join(', ') : String(value);
    return { name, value: text, from: 'file', location: project.settings?.locate(name) };
  }
  const isUnnamed = name === 'target' && globals.target !== DEFAULTS.target;
  return {
    name,
    value: isUnnamed ? `${globals.target}, as a server is named` : DEFAULTS[name],
    from: 'default',
  };
}

/** Options of every command that no file may give. */
function switches({ project, env }: CommandContext): readonly HeldSetting[] {
  return Object.entries(project.sources)
    .filter(([name]) => !SETTING_NAMES.some((known) => known === name))
    .map(([name, { value, from }]) => {
      const variable = from === 'env' ? `KEYAUDIT_${name.toUpperCase().replaceAll('-', '_')}` : undefined;
      const isKnown = variable !== undefined && env[variable] !== undefined;
      return {
        name,
        value: String(value),
        from: from === 'env' ? ('environment' as const) : ('command line' as const),
        ...(isKnown ? { variable } : {}),
      };
    });
}
