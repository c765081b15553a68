import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Where each registry's own client brings a version of an SDK to, and the file that says which API it is for. */
const CLIENTS = {
  'stripe-node': {
    bring: (version: string, dir: string) => {
      execFileSync('npm', ['pack', '--silent', `stripe@${version}`], { cwd: dir });
      execFileSync('tar', ['xzf', `stripe-${version}.tgz`, '--strip-components=1'], { cwd: dir });
    },
    apiVersionIn: ['cjs/apiVersion.js', 'lib/apiVersion.js', 'types/lib.d.ts'],
  },
  'stripe-java': {
    bring: (version: string, dir: string) => {
      const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';
      const artifact = `-Dartifact=com.stripe:stripe-java:${version}:jar:sources`;
      execFileSync('mvn', ['--batch-mode', '--quiet', plugin, artifact, `-DoutputDirectory=${dir}`]);
      execFileSync('unzip', ['-q', `stripe-java-${version}-sources.jar`], { cwd: dir });
    },
    apiVersionIn: ['com/stripe/ApiVersion.java'],
  },
  'stripe-go': {
    bring: (version: string, dir: string) => {
      const [major] = version.split('.');
      const said = execFileSync('go', [
        'mod',
        'download',
        '-json',
        `github.com/stripe/stripe-go/v${major}@v${version}`,
      ]);
      const { Zip: zip } = JSON.parse(said.toString()) as { Zip: string };
      execFileSync('unzip', ['-q', zip], { cwd: dir });
      const top = join(dir, 'github.com', 'stripe', 'stripe-go', `v${major}@v${version}`);
      for (const name of readdirSync(top)) renameSync(join(top, name), join(dir, name));
      rmSync(join(dir, 'github.com'), { recursive: true });
    },
    apiVersionIn: ['api_version.go', 'stripe.go'],
  },
  'stripe-python': {
    bring: (version: string, dir: string) => {
      const quiet = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps'];
      execFileSync('python3', [...quiet, '--only-binary', ':all:', '--dest', dir, `stripe==${version}`]);
      for (const name of readdirSync(dir)) execFileSync('unzip', ['-q', name], { cwd: dir });
    },
    apiVersionIn: ['stripe/_api_version.py'],
  },
} as const;

export type SdkName = keyof typeof CLIENTS;

/** The folder of a version of an SDK, from its registry where it is not yet in `folder`. @throws on one that is of another version of the API */
export function fetchSdk(
  sdk: SdkName,
  { version, api }: { readonly version: string; readonly api: string },
  folder: string,
): string {
  const dir = join(folder, sdk, version);
  if (!existsSync(dir)) {
    mkdirSync(dir, { recursive: true });
    CLIENTS[sdk].bring(version, dir);
  }
  const declared = /['"](20\d\d-\d\d-\d\d(?:\.[a-z]+)?)['"]/;
  const files = [...CLIENTS[sdk].apiVersionIn, `types/${api}/index.d.ts`]
    .map((one) => join(dir, one))
    .filter((one) => existsSync(one));
  if (!files.some((one) => one.includes(`${api}/`) || declared.exec(readFileSync(one, 'utf8'))?.[1] === api))
    throw new Error(`${sdk} ${version} is not of ${api}`);
  return dir;
}
