import { hash } from 'node:crypto';

const NODE = Buffer.from([1]);

/**
 * The Merkle tree of RFC 9162 (section 2.1.1) over the rows of a log, as far as it must be known to go on: the roots of
 * its full subtrees, largest first.
 */
export class MerkleTree {
  #size: number;
  readonly #roots: Buffer[];

  /** @param roots as `roots` gave them for a tree of that size */
  constructor(size = 0, roots: readonly string[] = []) {
    this.#size = size;
    this.#roots = roots.map((root) => Buffer.from(root, 'base64url'));
  }

  get size(): number {
    return this.#size;
  }

  /** Of its full subtrees, in base64url. */
  get roots(): readonly string[] {
    return this.#roots.map((root) => root.toString('base64url'));
  }

  /** @param leaf the hash of a leaf, which is that of a row */
  append(leaf: Buffer): void {
    let node = leaf;
    // Each full subtree of the same height makes a full one that is higher by one.
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = this.#roots.pop();
      if (left !== undefined) node = inner(left, node);
    }
    this.#roots.push(node);
    this.#size += 1;
  }

  /** In base64url; that of an empty tree is the hash of nothing. */
  root(): string {
    const [last, ...before] = [...this.#roots].reverse();
    if (last === undefined) return hash('sha256', '', 'base64url' as 'hex');
    return before.reduce((right, left) => inner(left, right), last).toString('base64url');
  }

  copy(): MerkleTree {
    const tree = new MerkleTree(this.#size);
    tree.#roots.push(...this.#roots);
    return tree;
  }
}

function inner(left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([NODE, left, right]), 'buffer');
}
