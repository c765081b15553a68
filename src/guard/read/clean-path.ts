/** A request line that can be read in one way only, or why it cannot. */
export type PathReading =
  | { readonly ok: true; readonly path: string; readonly query: string }
  | { readonly ok: false; readonly why: string };

/** Under which the API is served as well: several SDKs take a base address with a path. */
const PREFIX = '/stripe/';

/**
 * Takes a request line apart. What one server could take for another path than the next is refused: an empty segment,
 * dots, a slash in disguise, a backslash, a semicolon, an address, whatever is no plain text.
 */
export function cleanPath(url: string): PathReading {
  if (!url.startsWith('/')) return refused('its target is no path');
  if (!/^[\x21-\x7e]+$/.test(url) || /[\\#"<>^`{|}]/.test(url)) return refused('its path is no plain text');
  const mark = url.indexOf('?');
  const whole = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const path = whole.startsWith(PREFIX) ? whole.slice(PREFIX.length - 1) : whole;
  for (const segment of path.slice(1).split('/')) {
    if (segment === '') return refused('its path has an empty part');
    const text = decoded(segment);
    if (text === undefined) return refused('its path has a broken escape');
    if (/^\.+$/.test(text)) return refused('its path has dots for a part');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    if (/[/\\;%?#\u0000-\u001f\u007f]/.test(text)) return refused('its path has a sign in it that no id has');
  }
  return { ok: true, path, query };
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function refused(why: string): PathReading {
  return { ok: false, why };
}
