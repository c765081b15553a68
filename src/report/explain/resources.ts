import type { ExplainedResource } from '../../core/grant/explain-name.ts';
import { counted, paintFor, type TextOutput, wrap } from '../text.ts';

/** `resources --format json`, schema `keyaudit.resources/1`. */
export function resourcesJson(resources: readonly ExplainedResource[]): unknown {
  return {
    schema: 'keyaudit.resources/1',
    resources: resources.map(({ name, operations, levels, unknown }) => ({
      name,
      calls: operations.length,
      levels: Object.fromEntries(levels.map(({ level, permissions }) => [level, permissions])),
      unknown,
    })),
  };
}

/** Each resource in a line, with what its levels come to. */
export function renderResources(resources: readonly ExplainedResource[], output: TextOutput): void {
  const paint = paintFor(output);
  for (const { name, operations, levels } of resources) {
    const write = levels.find(({ level }) => level === 'write') ?? levels[0];
    const what =
      write === undefined
        ? 'no permission is known'
        : `${levels.map(({ level }) => level).join(', ')}: ${write.permissions.join(', ')}`;
    const text = `${name}  ${paint.dim(`${counted(operations.length, 'call')}, ${what}`)}`;
    output.write(output.colour ? `${text}\n` : wrap(text, output, { indent: '    ' }).trimStart());
  }
  output.write(`${counted(resources.length, 'resource')}; "keyaudit explain NAME" tells more of one.\n`);
}
