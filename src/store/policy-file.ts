import { resolve } from 'node:path';
import type { Catalog } from '../core/catalog/catalog.ts';
import { KeyauditError } from '../core/error.ts';
import { POLICY_FILE, type Policy } from '../core/rules/policy.ts';
import { readPolicy } from '../core/rules/read-policy.ts';
import { digestOf } from './files/digest.ts';
import { readTextFile } from './files/read-text-file.ts';

/** A policy with the digest of its file. */
export type PolicyFile = Policy & { readonly digest: string };

/**
 * The policy for every profile: `--policy FILE`, else `keyaudit.policy.yaml` in the working folder if
 * there is one.
 * @throws KeyauditError `POLICY_UNREADABLE`, or `POLICY_INVALID` with all its mistakes
 */
export async function readPolicyFile(
  cwd: string,
  named: string | undefined,
  catalog: Catalog,
): Promise<PolicyFile | undefined> {
  const file = named ?? POLICY_FILE;
  const text = await readTextFile(resolve(cwd, file)).catch((cause: NodeJS.ErrnoException) => {
    if (named === undefined && cause.code === 'ENOENT') return undefined;
    throw new KeyauditError('POLICY_UNREADABLE', `The policy ${file} cannot be read (${cause.code}).`, {
      cause,
    });
  });
  if (text === undefined) return undefined;
  const reading = readPolicy(text, file, catalog);
  if (reading.ok) return { ...reading.policy, digest: digestOf(text) };
  const count = reading.problems.length === 1 ? 'a mistake' : `${reading.problems.length} mistakes`;
  throw new KeyauditError('POLICY_INVALID', `The policy ${file} has ${count}.`, {
    problems: reading.problems,
  });
}
