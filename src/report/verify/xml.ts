import { wellFormed } from '../text.ts';

/** What XML 1.0 cannot hold at all, escaped or not (https://www.w3.org/TR/xml/#charsets). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to take out
const impossible = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/**
 * Text for an attribute or element of XML or HTML; what XML cannot hold becomes U+FFFD. `##[` is
 * escaped as well: GitHub's runner takes it for a command wherever it stands in a line.
 */
export function escapeXml(text: string): string {
  return wellFormed(text)
    .replace(impossible, '\ufffd')
    .replace(/[&<>"'\t\n\r]/g, (character) => escapes[character] ?? '')
    .replaceAll('##[', '#&#35;[');
}
