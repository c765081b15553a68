import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { explainResource } from '../core/grant/explain-name.ts';
import { resourcesWithWord } from '../core/profile/names/nearest-name.ts';
import { renderResources, resourcesJson } from '../report/explain/resources.ts';
import type { CommandContext } from '../session/context.ts';
import { printResult } from '../session/result-output.ts';
import { openSession } from '../session/session.ts';

/** `keyaudit resources [WORD]`: the resources that a profile can name, all or those with a word in name or permission. */
export async function resources(word: string | undefined, context: CommandContext): Promise<ExitCode> {
  const session = await openSession(context);
  const { catalog } = session;
  const all = [...catalog.resources].sort().map((name) => explainResource(name, catalog));
  const named = new Set(word === undefined ? catalog.resources : resourcesWithWord(word, catalog));
  const wanted = word?.toLowerCase().replace(/s$/, '') ?? '';
  const found = all.filter(
    ({ name, levels }) =>
      named.has(name) ||
      (wanted.length >= 3 &&
        levels.some(({ permissions }) => permissions.some((permission) => permission.includes(wanted)))),
  );
  if (found.length === 0) {
    throw new KeyauditError('USAGE', `No resource has "${word}" in its name or its permissions.`, {
      hint: '"keyaudit resources" lists them all.',
    });
  }
  await printResult(session, {
    json: resourcesJson(found),
    table: (output) => renderResources(found, output),
  });
  return EXIT.ok;
}
