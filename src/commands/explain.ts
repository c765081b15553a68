import { nearest } from '../core/document/nearest.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { explainName } from '../core/grant/explain-name.ts';
import { nearestOperation, resourceAdvice } from '../core/profile/names/nearest-name.ts';
import { scopeAdvice } from '../core/profile/names/scope-name.ts';
import { successorOf, successorText } from '../core/profile/names/successor.ts';
import { type Explained, explainJson, renderExplained } from '../report/explain/explain.ts';
import type { CommandContext } from '../session/context.ts';
import { printResult } from '../session/result-output.ts';
import { openSession, type Session } from '../session/session.ts';
import { readErrorPages } from '../store/error-pages.ts';

/** `keyaudit explain NAME`: what a permission, resource, operation, error code or kind of finding is. */
export async function explain(name: string, context: CommandContext): Promise<ExitCode> {
  const session = await openSession(context);
  const explained = await explanationOf(name, session);
  await printResult(session, {
    json: explainJson(explained),
    table: (output) => renderExplained(explained, output, session.globals.verbose),
  });
  return EXIT.ok;
}

async function explanationOf(text: string, { catalog, packageRoot }: Session): Promise<Explained> {
  const known = explainName(text, catalog);
  if (known !== undefined) return known;
  const pages = await readErrorPages(packageRoot);
  const wanted = text.trim().toLowerCase();
  const page = pages.find(({ heading }) => heading.toLowerCase() === wanted);
  if (page !== undefined) return { kind: 'code', name: page.heading, paragraphs: page.paragraphs };
  const scope = scopeAdvice(text, catalog);
  const successor = successorOf(text.trim());
  const headings = pages.map(({ heading }) => heading);
  const names = [
    ...catalog.resources,
    ...catalog.permissions.map((permission) => permission.name),
    ...headings,
  ];
  const operation = nearestOperation(text, catalog);
  const near = nearest(text, names) === undefined && operation !== undefined ? operation : undefined;
  throw new KeyauditError('USAGE', scope?.message ?? `"${text}" is no name that keyaudit knows.`, {
    hint:
      scope?.hint ??
      (successor === undefined ? undefined : successorText(successor)) ??
      (near === undefined ? undefined : `Did you mean "${near}"?`) ??
      resourceAdvice(text, names, catalog) ??
      'Name a permission, a resource, an operation, an error code or a kind of finding; "keyaudit resources" lists the resources.',
  });
}
