import type { Catalog } from '../../core/catalog/catalog.ts';
import type { DeclaredField, DeclaredTypes } from '../../core/catalog/declared-types.ts';
import { COLLECTIONS } from '../../core/catalog/id-prefix.ts';
import { isRecord } from '../../core/document/is-record.ts';
import { didYouMean } from '../../core/document/nearest.ts';
import { byPosition, describePath } from '../../core/document/shape-problem.ts';
import { readYaml, type YamlSource } from '../../core/document/yaml-source.ts';
import { KeyauditError, type Problem } from '../../core/error.ts';
import { isSuccess } from '../../http/answer.ts';
import type { Fields } from '../../http/form-body.ts';
import type { ObjectMaker } from '../objects/make/make-object.ts';
import type { ObjectStore, StripeObject } from '../objects/object-store.ts';
import { serveOperation } from '../objects/serve-operation.ts';
import { readParameters } from '../read-parameters.ts';
import { type Misfit, misfits } from './misfits.ts';
import type { ObjectStores } from './object-stores.ts';
import type { Plant } from './sandbox-objects.ts';
import { type SeedBed, seedBed } from './seed-bed.ts';

/** A seed as it was read, and what it takes to make its objects. */
export interface SeedParts {
  readonly text: string;
  readonly file: string;
  readonly catalog: Catalog;
  readonly types: DeclaredTypes;
  readonly maker: ObjectMaker;
  /** The clock, in ms since 1970. */
  readonly now: () => number;
}

/**
 * The objects of a seed: by collection, as in the paths of the API, a list of objects. Each is made as its create
 * would make it, then gets what else of its object's fields is written; so a field is either a parameter of the
 * create or a field of the object, and anything else is refused.
 * @returns puts them into stores; throws KeyauditError `SEED_INVALID` with all mistakes
 */
export function readSeed(parts: SeedParts): Plant {
  const source = readYaml(parts.text, parts.file);
  return (stores) => {
    const problems =
      source.problems.length > 0 ? source.problems : new Planter(parts, source, stores).plant();
    if (problems.length === 0) return;
    const count = problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`;
    throw new KeyauditError('SEED_INVALID', `The seed ${parts.file} has ${count}.`, {
      problems: [...problems].sort(byPosition),
    });
  };
}

type Path = readonly PropertyKey[];

interface Written {
  readonly parameters: Fields;
  readonly fields: Fields;
  readonly isFit: boolean;
}

/** An id stands in paths. */
const ID = /^[\w.~-]{1,255}$/;

class Planter {
  readonly #parts: SeedParts;
  readonly #source: YamlSource;
  readonly #stores: ObjectStores;
  readonly #problems: Problem[] = [];

  constructor(parts: SeedParts, source: YamlSource, stores: ObjectStores) {
    this.#parts = parts;
    this.#source = source;
    this.#stores = stores;
  }

  plant(): readonly Problem[] {
    const { value } = this.#source;
    if (value === null || value === undefined) return [];
    if (!isRecord(value)) this.#problem('The seed must be a map of collections.', []);
    else for (const [name, entries] of Object.entries(value)) this.#collection(name, entries);
    return this.#problems;
  }

  #collection(name: string, entries: unknown): void {
    const bed = seedBed(name, this.#parts);
    if (bed === undefined) {
      this.#problem(`Unknown collection "${name}".`, [name], {
        key: true,
        hint: didYouMean(name, COLLECTIONS) ?? 'Write it as in the paths of the API: checkout/sessions.',
      });
      return;
    }
    if (!Array.isArray(entries)) {
      this.#problem(`"${name}" must be a list of objects.`, [name]);
      return;
    }
    for (const [index, entry] of entries.entries()) {
      if (isRecord(entry)) this.#object(bed, entry, [name, index]);
      else this.#problem(`${name}[${index}] must be a map.`, [name, index]);
    }
  }

  #object(bed: SeedBed, entry: Fields, path: Path): void {
    const { collection } = bed;
    const { id, livemode = false } = entry;
    const store = this.#stores.of(livemode === true);
    if (!this.#isFreeId(id, store.find(collection, String(id)), [...path, 'id'])) return;
    const written = this.#written(bed, entry, path);
    const parents = bed.parents.map((name) => this.#parent(entry, name, path));
    if (!written.isFit || !parents.every((one) => one !== undefined)) return;
    const traits = {
      livemode: livemode === true,
      now: this.#parts.now(),
      find: (kind: string, one: string) => store.ofKind(kind, one),
    };
    const given = { id, store, parents, path, livemode: livemode === true };
    const object = this.#made(bed, written.parameters, given);
    if (object !== undefined) this.#parts.maker.update(object, written.fields, traits);
  }

  #isFreeId(id: unknown, known: StripeObject | undefined, path: Path): id is string | undefined {
    if (id === undefined) return true;
    if (typeof id !== 'string' || !ID.test(id)) {
      this.#problem('An id must be a text of letters, digits, ".", "_", "~" and "-".', path);
      return false;
    }
    if (known !== undefined) this.#problem(`The id "${id}" is there already.`, path);
    return known === undefined;
  }

  #made(
    { collection, create }: SeedBed,
    parameters: Fields,
    given: {
      readonly id: string | undefined;
      readonly store: ObjectStore;
      readonly parents: readonly string[];
      readonly path: Path;
      readonly livemode: boolean;
    },
  ): StripeObject | undefined {
    const { types, maker, now } = this.#parts;
    const { id, store, parents, path, livemode } = given;
    const find = (kind: string, one: string) => store.ofKind(kind, one);
    if (create === undefined) {
      const made = maker.make(collection, { id }, { livemode, now: now(), find });
      return store.add(collection, made, parents);
    }
    const read = readParameters(create, parameters, { types, alsoTaken: () => false });
    if ('refusal' in read) {
      this.#refused(read.refusal.body, path);
      return undefined;
    }
    const answer = serveOperation({
      operation: create,
      ids: parents,
      path: create.path,
      fields: id === undefined ? read.fields : { ...read.fields, id },
      expansions: [],
      ...{ store, maker, livemode, now: now() },
    });
    if (isSuccess(answer)) return answer.body as StripeObject;
    this.#refused(answer.body, path);
    return undefined;
  }

  /** Divides what is written between the create and the object; what fits neither is a problem. */
  #written({ collection, kind, parameters, fields, parents }: SeedBed, entry: Fields, path: Path): Written {
    const before = this.#problems.length;
    const written = { parameters: {} as Fields, fields: {} as Fields };
    for (const [name, value] of Object.entries(entry)) {
      if (name === 'id' || (parents.includes(name) && !parameters.has(name))) continue;
      const [parameter, field] = [parameters.get(name), fields.get(name)];
      if (name === 'livemode' || name === 'object') {
        if (name === 'object' ? value !== kind : typeof value !== 'boolean')
          this.#problem(`"${name}" must be ${name === 'object' ? `"${kind}"` : 'true or false'}.`, [
            ...path,
            name,
          ]);
      } else if (parameter === undefined && field === undefined) {
        const known = [...parameters.keys(), ...fields.keys()];
        const hint = didYouMean(name, known) ?? `It takes: ${[...new Set(known)].sort().join(', ')}.`;
        this.#problem(`Unknown field "${name}" of ${collection}.`, [...path, name], { key: true, hint });
      } else if (isParameter(value, parameter, field, this.#parts.types)) written.parameters[name] = value;
      else if (field !== undefined && value !== undefined) {
        this.#misfits(value, field, [...path, name]);
        written.fields[name] = value;
      }
    }
    return { ...written, isFit: this.#problems.length === before };
  }

  #misfits(value: unknown, { type }: DeclaredField, path: Path): void {
    for (const misfit of misfits(value, type, this.#parts.types, { partial: true })) {
      const at = [...path, ...misfit.path];
      const where = describePath(at);
      if (misfit.problem === 'unknown') {
        const hint = didYouMean(String(at.at(-1)), misfit.expected);
        this.#problem(`Unknown field "${String(at.at(-1))}" in ${where}.`, at, { key: true, hint });
      } else this.#problem(`${where} must be ${expected(misfit)}.`, at);
    }
  }

  #parent(entry: Fields, name: string, path: Path): string | undefined {
    const id = entry[name];
    if (typeof id === 'string') return id;
    this.#problem(`"${name}" is missing: it says whose this is, by id.`, path);
    return undefined;
  }

  /** In Stripe's words, at the parameter that they name. */
  #refused(body: unknown, path: Path): void {
    const { error = {} } = body as { error?: { message?: string; param?: string } };
    const param = (error.param ?? '').split(/[[\]]+/).filter((step) => step !== '');
    const steps = param.map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    this.#problem(error.message ?? 'The sandbox would not make this.', [...path, ...steps], {
      hint: /^No such /.test(error.message ?? '') ? 'Write what others refer to before them.' : undefined,
    });
  }

  #problem(message: string, path: Path, { hint, key = false }: { hint?: string; key?: boolean } = {}): void {
    const location = key ? this.#source.keyAt(path) : this.#source.valueAt(path);
    this.#problems.push({ message, location, hint });
  }
}

/** A value that both may have is the create's, unless it is in the form of the object alone. */
function isParameter(
  value: unknown,
  parameter: DeclaredField | undefined,
  field: DeclaredField | undefined,
  types: DeclaredTypes,
): boolean {
  if (parameter === undefined) return false;
  if (field === undefined) return true;
  const fits = ({ type }: DeclaredField) => misfits(value, type, types, { partial: true }).length === 0;
  return fits(parameter) || !fits(field);
}

function expected({ expected: words }: Misfit): string {
  return words.length > 1 ? `one of ${words.join(', ')}` : (words[0] ?? 'something else');
}
