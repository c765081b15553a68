import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';

type Environment = Readonly<Record<string, string | undefined>>;

/** What programs read of a proxy for HTTPS; curl and Go take either spelling. */
const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy'] as const;
const OTHER_PROXIES = [...PROXY_VARIABLES, 'ALL_PROXY', 'all_proxy'] as const;

/** By what each program is told which authorities to trust: OpenSSL, Go and .NET on Linux; curl; Python's requests. */
const BUNDLE_VARIABLES = ['SSL_CERT_FILE', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE'] as const;

/** Where systems keep the authorities that they trust. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];

/** The variable by which a command has a proxy of its own already. */
export function ownProxy(env: Environment): string | undefined {
  return OTHER_PROXIES.find((name) => (env[name] ?? '') !== '');
}

/** Whether the command is told to go past any proxy for Stripe. */
export function goesPastProxies(env: Environment): boolean {
  const list = `${env.NO_PROXY ?? ''},${env.no_proxy ?? ''}`;
  return list.split(',').some((one) => /^(?:\*|(?:.*\.)?stripe\.com)$/i.test(one.trim()));
}

/**
 * What makes a command and what it starts go by a proxy, and trust its authority besides those that it would trust.
 * The proxy's address and the authority are given to nobody else.
 * @param folder a private one, in which the certificates are written
 */
export async function proxyEnvironment(
  url: string,
  authority: string,
  env: Environment,
  folder: string,
): Promise<Readonly<Record<string, string>>> {
  const system = await firstOf(SYSTEM_BUNDLES);
  const variables = await Promise.all(
    BUNDLE_VARIABLES.map(async (name) => {
      const own = env[name] === undefined || env[name] === '' ? system : await firstOf([env[name]]);
      const file = join(folder, `${name.toLowerCase()}.pem`);
      const text = [own ?? rootCertificates.join('\n'), authority].join('\n');
      await writeFile(file, text, { mode: 0o600, flag: 'wx' });
      return [name, file] as const;
    }),
  );
  return Object.fromEntries([...PROXY_VARIABLES.map((name) => [name, url] as const), ...variables]);
}

async function firstOf(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  return undefined;
}
