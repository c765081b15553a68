import type { CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { KeyauditError } from '../../core/error.ts';
import { readSwitch } from '../../core/switch.ts';

/**
 * Makes the environment say what commander understands: a variable without a value is one that is not set, and a
 * switch is there when it is on. Commander itself takes any value of a switch, `0` and `off` included, for on.
 * @throws KeyauditError `USAGE` for a switch that is neither on nor off
 */
export function settleEnvironment(
  program: CommandUnknownOpts,
  env: Record<string, string | undefined>,
): void {
  for (const { envVar: name, ...option } of optionsBelow(program)) {
    const value = name === undefined ? undefined : env[name];
    if (name === undefined || value === undefined) continue;
    if (value.trim() === '') delete env[name];
    else if (!option.required && !option.optional && !isOn(name, value)) delete env[name];
  }
}

function isOn(name: string, value: string): boolean {
  const on = readSwitch(value);
  if (on !== undefined) return on;
  throw new KeyauditError('USAGE', `${name} is "${value}", which is neither on nor off.`, {
    hint: 'Write true, yes, on or 1; false, no, off, 0 or nothing.',
  });
}

function optionsBelow(command: CommandUnknownOpts): readonly Option[] {
  return [...command.options, ...command.commands.flatMap(optionsBelow)];
}
