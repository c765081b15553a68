import { isAbsolute, relative, resolve } from 'node:path';

/** Options whose value is a path. */
const PATHS = ['lock', 'file', 'behaviour', 'profileOutput', 'output', 'policy'];
/** Options and arguments that are a path only if they look like one: names go as they are. */
const NAMES_OR_PATHS = ['before', 'after', 'write', 'profile', 'names', 'profiles'];

/**
 * The paths of a command line count from the working folder, everything else from the project's folder: they are
 * turned into paths from there. Where the two are one, nothing changes.
 */
export function fromProject<O extends object>(options: O, from: string, project: string): O {
  if (from === project) return options;
  const moved = (path: string) =>
    path === '-' || isAbsolute(path) ? path : relative(project, resolve(from, path)) || '.';
  const movedName = (text: string) => (/[/\\]|\.(?:ya?ml|json)$/.test(text) ? moved(text) : text);
  const entries = Object.entries(options).map(([name, value]: [string, unknown]) => {
    const change = PATHS.includes(name) ? moved : NAMES_OR_PATHS.includes(name) ? movedName : changes[name];
    if (change === undefined) return [name, value];
    const move = (text: unknown) => (typeof text === 'string' ? change(text, moved) : text);
    return [name, Array.isArray(value) ? value.map(move) : move(value)];
  });
  return Object.fromEntries(entries) as O;
}

/** Options in which a path is a part. */
const changes: Readonly<Record<string, (text: string, moved: (path: string) => string) => string>> = {
  report: (text, moved) =>
    text.replace(/^([^=]*=)(.+)$/s, (_, head: string, path: string) => head + moved(path)),
  store: (text, moved) =>
    text.replace(/^(env-file:)(.+)$/s, (_, head: string, path: string) => head + moved(path)),
};
