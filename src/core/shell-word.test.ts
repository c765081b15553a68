import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellWord } from './shell-word.ts';

it.each([
  'plain',
  'a b',
  "it's",
  '$(touch pwned)',
  '`id`',
  '"$HOME"',
  '',
  '-x',
  'a;b',
  'a\nb',
  '*',
  '~',
  'ünicode',
  '\\',
])('is one word for a shell: %j', (text) => {
  const out = execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' });
  expect(out).toBe(text);
});
