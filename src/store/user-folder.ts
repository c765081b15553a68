import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** The user's folder of keyaudit: `$XDG_CONFIG_HOME/keyaudit`, else `~/.config/keyaudit`. */
export function userFolder(env: Readonly<Record<string, string | undefined>>): string {
  const config = env.XDG_CONFIG_HOME;
  // The XDG base directory specification has relative paths ignored.
  const base = config && isAbsolute(config) ? config : join(env.HOME || homedir(), '.config');
  return join(base, 'keyaudit');
}

/** Where calibrations lie. */
export function calibrationFolder(env: Readonly<Record<string, string | undefined>>): string {
  return join(userFolder(env), 'calibration');
}
