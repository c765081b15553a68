import { readFileSync } from 'node:fs';

/**
 * The second model, on purpose plain and slow, straight from the tables and without any code of the
 * product: which of the catalog's rows does a path match, and does a key hold one of its permissions?
 */
export class NaiveModel {
  readonly #rows = this.#table('endpoints').map(([method = '', path = '', permissions = '']) => ({
    method,
    path,
    permissions: permissions === '-' ? [] : permissions.split(' '),
  }));
  readonly #implications = this.#table('implications');

  #table(name: string): string[][] {
    const text = readFileSync(
      new URL(`../../src/core/catalog/data/source/${name}.tsv`, import.meta.url),
      'utf8',
    );
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return lines.slice(1).map((line) => line.split('\t'));
  }

  /** Undefined where no row matches, a slash in disguise being no id; of several the one with the earliest fixed segment. */
  row(method: string, path: string) {
    const asked = path.split('/');
    const rows = this.#rows.filter((row) => {
      const own = row.path.split('/');
      const fits = own.every((part, at) =>
        part === '{id}' ? /^(?!.*%2f|(%2e|\.){1,2}$)./i.test(asked[at] ?? '') : part === asked[at],
      );
      return row.method === method && own.length === asked.length && fits;
    });
    return rows.sort((a, b) => (a.path < b.path ? -1 : 1)).sort((a, b) => fixed(a.path, b.path))[0];
  }

  holdsOne(held: readonly string[], wanted: readonly string[]): boolean {
    let all = [...held];
    for (let before = -1; before !== all.length; ) {
      before = all.length;
      const more = this.#implications.filter(([from]) => all.includes(from ?? ''));
      all = [...new Set([...all, ...more.flatMap(([, to = '']) => to.split(' '))])];
    }
    return wanted.some((one) => all.includes(one));
  }
}

function fixed(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  const at = left.findIndex((part, index) => part !== right[index]);
  return at < 0 ? 0 : (left[at] === '{id}' ? 1 : 0) - (right[at] === '{id}' ? 1 : 0);
}
