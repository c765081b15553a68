import type { JsonFile } from '../json-file.ts';
import { isSealed, type SealedKind, sealOf } from './seal.ts';
import { openUserKey, readUserKey } from './user-key.ts';

type Env = Readonly<Record<string, string | undefined>>;
type WithSeal<T> = T & { readonly seal?: string | undefined };

/** Notes of a working folder, told apart by who wrote them. */
export interface Notes<T> {
  /** Written by this user's keyaudit. */
  readonly own: readonly T[];
  /** From another user, machine or runner, or planted: to be shown, never to be acted on. */
  readonly foreign: readonly T[];
}

/** How the notes lie in their file. */
export interface NotesForm<F, T> {
  readonly kind: SealedKind;
  readonly env: Env;
  readonly notesOf: (content: F) => readonly WithSeal<T>[];
  readonly contentOf: (notes: readonly WithSeal<T>[]) => F;
}

/**
 * A file of notes each of which bears a seal by the key in the user's own folder. A working folder may come from
 * anywhere; a note without the right seal is kept as it is and counts for nothing.
 */
export class SealedNotes<F, T extends object> {
  readonly #file: JsonFile<F>;
  readonly #form: NotesForm<F, T>;

  constructor(file: JsonFile<F>, form: NotesForm<F, T>) {
    this.#file = file;
    this.#form = form;
  }

  /** @throws KeyauditError that of a broken file */
  async read(): Promise<Notes<T>> {
    const notes = this.#form.notesOf(await this.#file.read());
    if (notes.length === 0) return { own: [], foreign: [] };
    const key = await readUserKey(this.#form.env);
    return {
      own: notes.filter((note) => this.#isOwn(note, key)).map(bare<T>),
      foreign: notes.filter((note) => !this.#isOwn(note, key)).map(bare<T>),
    };
  }

  /** Changes one's own notes, under the file's lock. @throws KeyauditError `USER_KEY_UNUSABLE`, or that of the file */
  async update(change: (own: readonly T[]) => readonly T[]): Promise<void> {
    const key = await openUserKey(this.#form.env);
    await this.#file.update((content) => {
      const notes = this.#form.notesOf(content);
      const own = notes.filter((note) => this.#isOwn(note, key)).map(bare<T>);
      const foreign = notes.filter((note) => !this.#isOwn(note, key));
      return this.#form.contentOf([...foreign, ...change(own).map((note) => this.#sealed(note, key))]);
    });
  }

  /** Takes every foreign note for one's own, changed as wanted; returns them. */
  async adopt(change: (note: T) => T): Promise<readonly T[]> {
    const key = await openUserKey(this.#form.env);
    let adopted: T[] = [];
    await this.#file.update((content) => {
      adopted = [];
      return this.#form.contentOf(
        this.#form.notesOf(content).map((note) => {
          if (this.#isOwn(note, key)) return note;
          const mine = change(bare<T>(note));
          adopted.push(mine);
          return this.#sealed(mine, key);
        }),
      );
    });
    return adopted;
  }

  #isOwn(note: WithSeal<T>, key: Buffer | undefined): boolean {
    return isSealed(key, this.#form.kind, bare<T>(note), note.seal);
  }

  #sealed(note: T, key: Buffer): WithSeal<T> {
    return { ...note, seal: sealOf(key, this.#form.kind, note) };
  }
}

function bare<T>(note: WithSeal<T>): T {
  const { seal: _seal, ...content } = note;
  return content as T;
}
