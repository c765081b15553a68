import { expect, test } from 'vitest';
import { plainText, wellFormed, withoutCommands } from './plain-text.ts';

test.each([
  ['two\nlines\tand a tab', 'two\nlines\tand a tab'],
  ['of Windows\r\n', 'of Windows\n'],
  ['over\rwritten', 'over\ufffdwritten'],
  ['\u001b[2J\u001b]0;title\u0007', '\ufffd[2J\ufffd]0;title\ufffd'],
  ['\u001b[31mred\u001b[39m', '\ufffd[31mred\ufffd[39m'],
  ['\u009b31m', '\ufffd31m'],
  ['abc\u202edef\u2066\u200f\u061c', 'abc\ufffddef\ufffd\ufffd\ufffd'],
  ['a\u2028b\u0085c\u0000', 'a\ufffdb\ufffdc\ufffd'],
  ['\ud800 alone, \u{1f600} together', '\ufffd alone, \u{1f600} together'],
  ['hidden \u{e0041}\u{e0042}', 'hidden \ufffd\ufffd'],
  ['naïve 日本語 👩‍👩‍👧', 'naïve 日本語 👩‍👩‍👧'],
])('%j', (text, plain) => {
  expect(plainText(text)).toBe(plain);
  expect(plainText(plain)).toBe(plain);
  expect(wellFormed(plain)).toBe(plain);
});

test('styles of ours stay where they are wanted, and nothing else that begins like them', () => {
  expect(plainText('\u001b[31mred\u001b[39m\u001b[8mhidden\u001b[2K', { styles: true })).toBe(
    '\u001b[31mred\u001b[39m\ufffd[8mhidden\ufffd[2K',
  );
});

test.each([
  ['::stop-commands::x', ': :stop-commands::x'],
  ['  \t::error::x', '  \t: :error::x'],
  ['fine\n::add-mask::x\nfine', 'fine\n: :add-mask::x\nfine'],
  ['in the middle ::error::x', 'in the middle ::error::x'],
  ['##[group]x ##vso[task.setvariable]y', '# #[group]x # #vso[task.setvariable]y'],
  ['## a heading [link]', '## a heading [link]'],
  ['std::vector', 'std::vector'],
])('%j is no command', (text, harmless) => {
  expect(withoutCommands(text)).toBe(harmless);
});

test('commands of ours stay', () => {
  expect(withoutCommands('::error ::x\n::debug::y', (line) => line.startsWith('::error '))).toBe(
    '::error ::x\n: :debug::y',
  );
});
