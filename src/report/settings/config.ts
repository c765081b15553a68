import type { SourceLocation } from '../../core/error.ts';
import { placeOf } from '../error.ts';
import { paintFor, type TextOutput, wrap } from '../text.ts';

/** A setting that holds here, and what gave it. */
export interface HeldSetting {
  readonly name: string;
  readonly value: string;
  readonly from: 'command line' | 'environment' | 'file' | 'default';
  /** Of the environment. */
  readonly variable?: string | undefined;
  readonly location?: SourceLocation | undefined;
}

/** What holds in a working folder. */
export interface ConfigReport {
  /** The folder of the project: profiles, policy, lock file and `.keyaudit/` are there. */
  readonly project: string;
  /** The settings file, if there is one. */
  readonly file: string | undefined;
  readonly settings: readonly HeldSetting[];
  /** What is named and does not hold, each a sentence. */
  readonly withheld: readonly string[];
}

/** `config --format json`, schema `keyaudit.config/1`. */
export function configJson({ file, ...report }: ConfigReport): unknown {
  return { schema: 'keyaudit.config/1', file: file ?? null, ...report };
}

export function renderConfigTable(report: ConfigReport, output: TextOutput): void {
  const { project, file, settings, withheld } = report;
  const paint = paintFor(output);
  output.write(`${paint.bold('project')}   ${project}\n`);
  output.write(`${paint.bold('settings')}  ${file ?? 'no keyaudit.config.yaml here or above'}\n\n`);
  const names = Math.max(...settings.map(({ name }) => name.length));
  const values = Math.max(...settings.map(({ value }) => value.length));
  for (const { name, value, from, variable, location } of settings) {
    const where = location === undefined ? (variable ?? from) : placeOf(location);
    output.write(`${name.padEnd(names)}  ${value.padEnd(values)}  ${paint.dim(where)}\n`);
  }
  for (const sentence of withheld) {
    output.write(`\n${wrap(sentence, output, { indent: '  ', first: paint.yellow('! ') })}`);
  }
}
