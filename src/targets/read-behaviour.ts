import { resolve } from 'node:path';
import { KeyauditError } from '../core/error.ts';
import { type Behaviour, defaultBehaviour, parseBehaviour } from '../sandbox/faults/behaviour.ts';
import { readTextFile } from '../store/files/read-text-file.ts';

/**
 * How the sandbox is to behave, from a YAML or JSON file (`keyaudit sandbox --behaviour`, or the variable
 * `KEYAUDIT_SANDBOX_BEHAVIOUR`); Stripe's measured behaviour when there is none.
 * @throws KeyauditError `BEHAVIOUR_INVALID`
 */
export async function readBehaviour(file: string | undefined, cwd: string): Promise<Behaviour> {
  if (file === undefined || file === '') return defaultBehaviour();
  const text = await readTextFile(resolve(cwd, file)).catch((cause: NodeJS.ErrnoException) => {
    throw new KeyauditError('BEHAVIOUR_INVALID', `${file} cannot be read (${cause.code}).`, { cause });
  });
  // Loaded only here: it costs a tenth of the sandbox's start.
  const { parse } = await import('yaml');
  return parseBehaviour(parsed(text, file, parse), file);
}

function parsed(text: string, file: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text) ?? {};
  } catch (cause) {
    throw new KeyauditError('BEHAVIOUR_INVALID', `${file} is neither YAML nor JSON.`, { cause });
  }
}
