import { join } from 'node:path';
import { readTextFile } from './files/read-text-file.ts';

/** What docs/errors.md says of one code or kind. */
export interface ErrorPage {
  readonly heading: string;
  /** What happened, why, and what to do; a paragraph each. */
  readonly paragraphs: readonly string[];
}

/** The sections of docs/errors.md, which ships with the package. */
export async function readErrorPages(packageRoot: string): Promise<readonly ErrorPage[]> {
  const text = await readTextFile(join(packageRoot, 'docs/errors.md'));
  return text
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const [heading = '', ...rest] = section.split('\n');
      const [body = ''] = rest.join('\n').split(/^## /m);
      const paragraphs = body.trim().split(/\n{2,}/);
      return { heading, paragraphs: paragraphs.map((paragraph) => paragraph.replace(/\n/g, ' ')) };
    });
}
