import { hash } from 'node:crypto';

/** Bytes of a hash. */
const HASH_BYTES = 32;
/** A one, which tells a node from a leaf, and two hashes. */
const node = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/**
 * The Merkle tree of RFC 9162 (section 2.1.1) over the rows of a log, as far as it must be known to go on: the roots of
 * its full subtrees, largest first. Every hash is in base64url.
 */
export class MerkleTree {
  #size: number;
  readonly #roots: string[];

  /** @param roots as `roots` gave them for a tree of that size */
  constructor(size = 0, roots: readonly string[] = []) {
    this.#size = size;
    this.#roots = [...roots];
  }

  get size(): number {
    return this.#size;
  }

  /** Of its full subtrees. */
  get roots(): readonly string[] {
    return this.#roots;
  }

  /** @param leaf the hash of a leaf, which is that of a row */
  append(leaf: string): void {
    let root = leaf;
    // Each full subtree of the same height makes a full one that is higher by one.
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      root = hashOfNode(this.#roots.pop() ?? '', root);
    }
    this.#roots.push(root);
    this.#size += 1;
  }

  /** That of an empty tree is the hash of nothing. */
  root(): string {
    const last = this.#roots.at(-1);
    if (last === undefined) return hash('sha256', '', 'base64url');
    return this.#roots.slice(0, -1).reduceRight((right, left) => hashOfNode(left, right), last);
  }

  copy(): MerkleTree {
    return new MerkleTree(this.#size, this.#roots);
  }
}

function hashOfNode(left: string, right: string): string {
  node.write(left, 1, 'base64url');
  node.write(right, 1 + HASH_BYTES, 'base64url');
  return hash('sha256', node, 'base64url');
}
