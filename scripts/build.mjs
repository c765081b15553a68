// Bundles src/cli/main.ts into dist/, with the packages that most commands load: finding and reading files is most
// of what a short command costs, and the SDK alone has hundreds. The entry holds commander alone, so that
// `keyaudit --help` starts about as fast as node itself; every command is a chunk of its own, loaded when it
// is called.
import { cp, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { thirdPartyNotices } from './third-party-notices.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
// Loaded seldom, or by a way that a bundle breaks.
const unbundled = [
  '@clack/prompts',
  'undici',
  'execa',
  'jose',
  'node-forge',
  'ora',
  'p-queue',
  'proper-lockfile',
  'write-file-atomic',
];
const outDir = `${root}dist`;

// Each file that is found, read and linked costs a start: what the entry imports is one chunk, whoever shares it.
const atStart = new Set(['\0rolldown/runtime.js']);
const noteStart = {
  name: 'note-start',
  buildEnd() {
    const note = (id) => {
      for (const imported of this.getModuleInfo(id)?.importedIds ?? []) {
        if (atStart.has(imported)) continue;
        atStart.add(imported);
        note(imported);
      }
    };
    note(`${root}src/cli/main.ts`);
  },
};

// Loading it is a tenth of what `--help` takes, and commander starts a program only for a verb that is one.
const seldomChildProcess = {
  name: 'seldom-child-process',
  resolveId: (id, importer) =>
    id === 'node:child_process' && importer?.includes('/commander/') ? '\0seldom-child-process.cjs' : null,
  load: (id) =>
    id === '\0seldom-child-process.cjs'
      ? "exports.spawn = (...given) => process.getBuiltinModule('node:child_process').spawn(...given);"
      : null,
};

await rm(outDir, { recursive: true, force: true });
const bundle = await rolldown({
  input: { cli: `${root}src/cli/main.ts` },
  platform: 'node',
  external: unbundled,
  plugins: [noteStart, seldomChildProcess],
});
const { output } = await bundle.write({
  dir: outDir,
  format: 'esm',
  minify: false,
  comments: { legal: true, annotation: false, jsdoc: false },
  chunkFileNames: 'chunks/[name].js',
  codeSplitting: { groups: [{ name: 'start', test: (id) => atStart.has(id) }] },
});
await bundle.close();
const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
await writeFile(`${outDir}/THIRD-PARTY-NOTICES.md`, thirdPartyNotices(modules));
// What a browser runs is read as it is; its types are for the compiler alone.
await cp(`${root}src/report/verify/html/page`, `${outDir}/chunks/page`, {
  recursive: true,
  filter: (file) => !file.endsWith('.json'),
});
// What is loaded into a recorded program, as it is.
await cp(`${root}src/record/hooks`, `${outDir}/chunks/hooks`, {
  recursive: true,
  filter: (path) => !path.includes('__pycache__'),
});
