// Bundles src/cli/main.ts into dist/, with the packages that most commands load: finding and reading files is most
// of what a short command costs, and the SDK alone has hundreds. The entry holds commander alone, so that
// `keyaudit --help` starts about as fast as node itself; every command is a chunk of its own, loaded when it
// is called.
import { cp, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
// Loaded seldom, or by a way that a bundle breaks.
const unbundled = ['undici', 'execa', 'jose', 'ora', 'p-queue', 'proper-lockfile', 'write-file-atomic'];
const outDir = `${root}dist`;

await rm(outDir, { recursive: true, force: true });
const bundle = await rolldown({
  input: { cli: `${root}src/cli/main.ts` },
  platform: 'node',
  external: unbundled,
});
await bundle.write({ dir: outDir, format: 'esm', minify: false, chunkFileNames: 'chunks/[name].js' });
await bundle.close();
// What a browser runs is read as it is; its types are for the compiler alone.
for (const file of ['page.js', 'page.css'])
  await cp(`${root}src/report/verify/html/page/${file}`, `${outDir}/chunks/page/${file}`);
