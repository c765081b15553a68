// Bundles src/cli.ts into dist/. The entry holds commander alone, so that `keyaudit --help` starts
// about as fast as node itself; every command is a chunk of its own, loaded when it is called.
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const outDir = `${root}dist`;

await rm(outDir, { recursive: true, force: true });
const bundle = await rolldown({
  input: `${root}src/cli.ts`,
  platform: 'node',
  external: (id) => !id.startsWith('.') && !id.startsWith('/') && id !== 'commander',
});
await bundle.write({ dir: outDir, format: 'esm', minify: false, chunkFileNames: 'chunks/[name].js' });
await bundle.close();
