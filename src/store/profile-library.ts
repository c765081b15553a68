import { readdir, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { byText } from '../core/by-text.ts';
import type { Catalog } from '../core/catalog/catalog.ts';
import { didYouMean } from '../core/document/nearest.ts';
import { KeyauditError, type Problem } from '../core/error.ts';
import type { Profile, ProfileFile } from '../core/profile/profile.ts';
import type { ProfileReading } from '../core/profile/read-profile.ts';
import { readTextFile } from './files/read-text-file.ts';

export interface ProfileLibraryOptions {
  readonly cwd: string;
  /** The folder with the user's own, from the working folder; default: profiles. */
  readonly ownDir?: string | undefined;
  /** The folder with the profiles that ship. */
  readonly shippedDir: string;
  readonly catalog: Catalog;
}

/** A profile file that exists, read or not. */
export interface ProfileEntry {
  /** As shown to the user: relative to the working folder where that is shorter. */
  readonly file: string;
  readonly path: string;
  readonly origin: 'own' | 'shipped';
  readonly stem: string;
}

/**
 * Finds profiles: the user's own in `./profiles`, the shipped ones, or any path. An own profile wins
 * over a shipped one of its name. Files are read once.
 */
export class ProfileLibrary {
  readonly #options: ProfileLibraryOptions;
  readonly #readings = new Map<string, ProfileReading>();
  #entries: readonly ProfileEntry[] | undefined;
  #taken: string | undefined;

  constructor(options: ProfileLibraryOptions) {
    this.#options = options;
  }

  get #ownDir(): string {
    return join(this.#options.cwd, this.#ownName);
  }

  /** Every profile file, own ones first, sorted by file name; a shadowed shipped one is left out. */
  async entries(): Promise<readonly ProfileEntry[]> {
    if (this.#entries !== undefined) return this.#entries;
    const own = await this.#filesIn(this.#ownDir, 'own');
    const shipped = await this.#filesIn(this.#options.shippedDir, 'shipped');
    const ownPaths = new Set(own.map((entry) => entry.path));
    const ownNames = new Set<string>();
    for (const entry of own) {
      ownNames.add(entry.stem);
      const reading = await this.#read(entry);
      if (reading.ok) ownNames.add(reading.profile.name);
    }
    this.#entries = [
      ...own,
      ...shipped.filter((entry) => !ownPaths.has(entry.path) && !ownNames.has(entry.stem)),
    ];
    return this.#entries;
  }

  /**
   * What `--all` means: the user's own profiles. The shipped ones only where they are asked for.
   * @throws KeyauditError `NO_PROFILES` where there are none
   */
  async all({ examples = false }: { readonly examples?: boolean } = {}): Promise<readonly Profile[]> {
    const taken = examples
      ? await this.#filesIn(this.#options.shippedDir, 'shipped')
      : (await this.entries()).filter(({ origin }) => origin === 'own');
    if (taken.length === 0) throw this.#noProfiles();
    const profiles: Profile[] = [];
    for (const entry of taken) profiles.push(await this.#load(entry));
    this.#taken = `${profiles.length === 1 ? 'The one profile' : `All ${profiles.length} profiles`} of ${
      examples ? 'those that ship with keyaudit, as examples' : this.#ownName
    }.`;
    return profiles;
  }

  /** Whether the user has profiles of his own. */
  async hasOwn(): Promise<boolean> {
    return (await this.entries()).some(({ origin }) => origin === 'own');
  }

  /** Where {@link all} took the profiles from, a sentence; undefined where it was not asked. */
  get taken(): string | undefined {
    return this.#taken;
  }

  get #ownName(): string {
    return this.#options.ownDir ?? 'profiles';
  }

  #noProfiles(): KeyauditError {
    return new KeyauditError('NO_PROFILES', `There is no profile in ${this.#ownDir}, so --all means none.`, {
      hint: '"keyaudit init" starts one of your own; --examples takes those that ship with keyaudit.',
    });
  }

  /**
   * A profile by name or by path, after `extends`.
   * @throws KeyauditError `PROFILE_UNKNOWN` (with the nearest name) or `PROFILE_INVALID` (all problems)
   */
  async profile(nameOrPath: string): Promise<Profile> {
    return this.#load(await this.find(nameOrPath));
  }

  /** The file that a name or a path means. @throws KeyauditError `PROFILE_UNKNOWN` */
  async find(nameOrPath: string): Promise<ProfileEntry> {
    const found = await this.#lookUp(nameOrPath, this.#options.cwd);
    if (found !== undefined) return found;
    const names = await this.#names();
    throw new KeyauditError('PROFILE_UNKNOWN', `There is no profile "${nameOrPath}".`, {
      hint:
        didYouMean(nameOrPath, names) ??
        `Known profiles: ${names.join(', ')}. "keyaudit init" starts a new one.`,
    });
  }

  /** Reads a file without following `extends`: for lint, which wants every problem. */
  async read(entry: ProfileEntry): Promise<ProfileReading> {
    return this.#read(entry);
  }

  /** Follows `extends` of a file already read. @throws KeyauditError `PROFILE_INVALID` */
  async resolve(file: ProfileFile): Promise<Profile> {
    const parents = new Map<string, ProfileFile>();
    await this.#gatherParents(file, parents, new Set());
    const { resolveProfile } = await import('../core/profile/resolve-profile.ts');
    return resolveProfile(file, (name, from) => parents.get(`${from.file}\n${name}`));
  }

  async #load(entry: ProfileEntry): Promise<Profile> {
    const reading = await this.#read(entry);
    if (!reading.ok) throw invalidProfile(entry.file, reading.problems);
    return this.resolve(reading.profile);
  }

  async #gatherParents(
    file: ProfileFile,
    parents: Map<string, ProfileFile>,
    visited: Set<string>,
  ): Promise<void> {
    if (visited.has(file.file)) return;
    visited.add(file.file);
    for (const { name } of file.extends) {
      const base = dirname(resolve(this.#options.cwd, file.file));
      const entry = await this.#lookUp(name, base, file.file);
      if (entry === undefined) continue;
      const reading = await this.#read(entry);
      if (!reading.ok) throw invalidProfile(entry.file, reading.problems);
      parents.set(`${file.file}\n${name}`, reading.profile);
      await this.#gatherParents(reading.profile, parents, visited);
    }
  }

  /** `except`: a profile of the same name as its parent extends the shipped one, not itself. */
  async #lookUp(nameOrPath: string, base: string, except?: string): Promise<ProfileEntry | undefined> {
    if (/[/\\]|\.ya?ml$/.test(nameOrPath)) {
      const path = isAbsolute(nameOrPath) ? nameOrPath : resolve(base, nameOrPath);
      const isFile = await stat(path).then(
        (found) => found.isFile(),
        () => false,
      );
      return isFile ? this.#entry(path, 'own') : undefined;
    }
    for (const [dir, origin] of [
      [this.#ownDir, 'own'],
      [this.#options.shippedDir, 'shipped'],
    ] as const) {
      for (const ending of ['.yaml', '.yml']) {
        const entry = this.#entry(join(dir, `${nameOrPath}${ending}`), origin);
        if (entry.file === except) continue;
        if (
          await stat(entry.path).then(
            (found) => found.isFile(),
            () => false,
          )
        )
          return entry;
      }
      for (const entry of await this.#filesIn(dir, origin)) {
        if (entry.file === except) continue;
        const reading = await this.#read(entry);
        if (reading.ok && reading.profile.name === nameOrPath) return entry;
      }
    }
    return undefined;
  }

  async #names(): Promise<string[]> {
    const names: string[] = [];
    for (const entry of await this.entries()) {
      const reading = await this.#read(entry);
      names.push(reading.ok ? reading.profile.name : entry.stem);
    }
    return names;
  }

  async #filesIn(dir: string, origin: 'own' | 'shipped'): Promise<ProfileEntry[]> {
    const files = await readdir(dir, { withFileTypes: true }).catch(() => []);
    return files
      .filter((file) => !file.isDirectory() && /\.ya?ml$/.test(file.name))
      .map((file) => this.#entry(join(dir, file.name), origin))
      .sort((a, b) => byText(a.path, b.path));
  }

  #entry(path: string, origin: 'own' | 'shipped'): ProfileEntry {
    const short = relative(this.#options.cwd, path);
    const file = origin === 'own' && !short.startsWith('..') ? short : path;
    return { file, path, origin, stem: path.replace(/^.*[/\\]|\.ya?ml$/g, '') };
  }

  async #read(entry: ProfileEntry): Promise<ProfileReading> {
    const known = this.#readings.get(entry.path);
    if (known !== undefined) return known;
    const text = await readTextFile(entry.path).catch((cause: unknown) => {
      throw new KeyauditError('PROFILE_UNREADABLE', `${entry.file} cannot be read.`, {
        hint: 'Check that the file exists and may be read.',
        cause,
      });
    });
    // What reads YAML is large, and many commands read no profile.
    const { readProfile } = await import('../core/profile/read-profile.ts');
    const reading = readProfile(text, entry.file, this.#options.catalog);
    this.#readings.set(entry.path, reading);
    return reading;
  }
}

/** All problems of one profile file as one error. */
export function invalidProfile(file: string, problems: readonly Problem[]): KeyauditError {
  const count = problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`;
  return new KeyauditError('PROFILE_INVALID', `${file} has ${count}.`, { problems });
}
