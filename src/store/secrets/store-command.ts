/** Longest that a store's command may take, in ms. */
export const COMMAND_TIMEOUT_MS = 60_000;

/** How a command ended, in words. */
export function endOf(run: {
  exitCode?: number | undefined;
  signal?: string | undefined;
  timedOut: boolean;
}): string {
  if (run.timedOut) return `no end within ${COMMAND_TIMEOUT_MS / 1000} s`;
  return run.exitCode === undefined ? (run.signal ?? 'it could not be run') : `exit code ${run.exitCode}`;
}
