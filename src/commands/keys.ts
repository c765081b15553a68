import { EXIT, type ExitCode } from '../core/error.ts';
import { paintFor, wrap } from '../report/text.ts';
import type { CommandContext } from '../session/context.ts';
import { printResult } from '../session/result-output.ts';
import { readKeyRecords } from '../store/key-records.ts';

/** `keyaudit keys list`: the keys that were made here; never a secret. */
export async function listKeys(context: CommandContext): Promise<ExitCode> {
  const records = await readKeyRecords(context.cwd);
  await printResult(context, {
    json: { schema: 'keyaudit.keys/1', keys: records },
    table: (output) => {
      const paint = paintFor(output);
      if (records.length === 0) {
        output.write('No key was made here yet. "keyaudit provision PROFILE" makes one.\n');
      }
      for (const record of records) {
        output.write(
          `${paint.bold(record.profile)} ${record.id} ${paint.dim(`${record.status}, ${record.mode}, ${record.target}`)}\n`,
        );
        output.write(
          wrap(
            `${record.variable} in ${record.place}, ${record.fingerprint}, made ${record.createdAt}`,
            output,
            { indent: '  ' },
          ),
        );
        output.write(wrap(record.permissions.join(', '), output, { indent: '  ' }));
      }
    },
  });
  return EXIT.ok;
}
