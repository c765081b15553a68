import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MerkleTree } from './merkle-tree.ts';

const sha256 = (...parts: readonly Uint8Array[]) =>
  createHash('sha256').update(Buffer.concat(parts)).digest();

/** RFC 9162, section 2.1.1, word by word. */
function treeHash(entries: readonly Buffer[]): Buffer {
  if (entries.length === 0) return sha256();
  if (entries.length === 1) return sha256(Buffer.from([0]), entries[0] ?? Buffer.alloc(0));
  let k = 1;
  while (k * 2 < entries.length) k *= 2;
  return sha256(Buffer.from([1]), treeHash(entries.slice(0, k)), treeHash(entries.slice(k)));
}

describe('the Merkle tree', () => {
  it('has the root that RFC 9162 defines, at every size, also when it is gone on from', () => {
    const entries = Array.from({ length: 70 }, (_, n) => Buffer.from(`row ${n}`));
    let tree = new MerkleTree();
    for (let size = 0; size <= entries.length; size++) {
      expect([tree.size, tree.root()]).toEqual([
        size,
        treeHash(entries.slice(0, size)).toString('base64url'),
      ]);
      if (size % 3 === 0) tree = new MerkleTree(tree.size, tree.roots);
      if (size % 5 === 0) tree = tree.copy();
      const entry = entries[size];
      if (entry !== undefined) tree.append(sha256(Buffer.from([0]), entry).toString('base64url'));
    }
  });

  // The test vectors of https://github.com/transparency-dev/merkle, testonly/constants.go.
  it.each<[number, string]>([
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('has the known root of %i leaves', (size, root) => {
    const leaves = [
      '',
      '00',
      '10',
      '2021',
      '3031',
      '40414243',
      '5051525354555657',
      '606162636465666768696a6b6c6d6e6f',
    ];
    const tree = new MerkleTree();
    for (const leaf of leaves.slice(0, size))
      tree.append(sha256(Buffer.from([0]), Buffer.from(leaf, 'hex')).toString('base64url'));
    expect(Buffer.from(tree.root(), 'base64url').toString('hex')).toBe(root);
  });
});
