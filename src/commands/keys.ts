import { EXIT, type ExitCode } from '../core/error.ts';
import { keysJson, renderKeysTable } from '../report/keys/keys.ts';
import type { CommandContext } from '../session/context.ts';
import { printResult } from '../session/result-output.ts';
import { openSession } from '../session/session.ts';

/** `keyaudit keys list`: the keys that were made here; never a secret. */
export async function listKeys(context: CommandContext): Promise<ExitCode> {
  const session = await openSession(context);
  const records = await session.records.all();
  await printResult(session, {
    json: keysJson(records),
    table: (output) => renderKeysTable(records, output),
  });
  return EXIT.ok;
}
