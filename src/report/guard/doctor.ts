import { paintFor, type TextOutput, wrap } from '../text.ts';

/** One thing that `guard doctor` looked at. `note`: it cannot be seen from here, and must be known. */
export interface DoctorCheck {
  readonly name: 'user' | 'keys' | 'clock' | 'disk' | 'log' | 'profile' | 'mcp';
  readonly state: 'ok' | 'bad' | 'unknown' | 'note';
  readonly text: string;
}

/** `guard doctor --format json`, schema `keyaudit.guard-doctor/1`. */
export function doctorJson(checks: readonly DoctorCheck[]): unknown {
  const ok = checks.every(({ state }) => state === 'ok' || state === 'note');
  return { schema: 'keyaudit.guard-doctor/1', ok, checks };
}

export function doctorTable(checks: readonly DoctorCheck[], output: TextOutput): void {
  const paint = paintFor(output);
  const marks = { ok: paint.green('✔'), bad: paint.red('✘'), unknown: paint.yellow('?'), note: '·' };
  for (const { name, state, text } of checks)
    output.write(wrap(`${name}: ${text}`, output, { indent: '  ', first: `${marks[state]} ` }));
}
