import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';
import { STRIPE_HOSTS } from './stripe-hosts.ts';

/** A certificate for Stripe's hosts, and the authority that a recorded command trusts for it. */
export interface Certificates {
  /** PEM of the authority, without its key, which nobody needs again. */
  readonly authority: string;
  /** PEM of the server's certificate and key. They stay in memory. */
  readonly certificate: string;
  readonly key: string;
}

const HOUR_MS = 3_600_000;
/** Longer than any command is recorded. */
const VALID_MS = 7 * 24 * HOUR_MS;
const rsaKeys = promisify(generateKeyPair);

/** Makes an authority for one run, which signs one certificate and is forgotten. */
export async function makeCertificates(now: Date): Promise<Certificates> {
  const [authority, server] = await Promise.all([keyPair(), keyPair()]);
  const subject = [{ name: 'commonName', value: 'keyaudit record (this run alone)' }];
  const root = certificateFor(authority.publicKey, subject, subject, now);
  root.setExtensions([
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  root.sign(authority.privateKey, forge.md.sha256.create());
  const leaf = certificateFor(
    server.publicKey,
    [{ name: 'commonName', value: STRIPE_HOSTS[0] }],
    subject,
    now,
  );
  leaf.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: STRIPE_HOSTS.map((value) => ({ type: DNS_NAME, value })) },
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: root.generateSubjectKeyIdentifier().getBytes() },
  ]);
  leaf.sign(authority.privateKey, forge.md.sha256.create());
  return {
    authority: forge.pki.certificateToPem(root),
    certificate: forge.pki.certificateToPem(leaf),
    key: forge.pki.privateKeyToPem(server.privateKey),
  };
}

/** RFC 5280, section 4.2.1.6. */
const DNS_NAME = 2;

/** By the platform, since the library would take seconds. */
async function keyPair(): Promise<forge.pki.rsa.KeyPair> {
  const made = await rsaKeys('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    publicKey: forge.pki.publicKeyFromPem(made.publicKey) as forge.pki.rsa.PublicKey,
    privateKey: forge.pki.privateKeyFromPem(made.privateKey) as forge.pki.rsa.PrivateKey,
  };
}

function certificateFor(
  publicKey: forge.pki.rsa.PublicKey,
  subject: forge.pki.CertificateField[],
  issuer: forge.pki.CertificateField[],
  now: Date,
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKey;
  // Positive, as RFC 5280 wants it.
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`;
  certificate.validity.notBefore = new Date(now.getTime() - HOUR_MS);
  certificate.validity.notAfter = new Date(now.getTime() + VALID_MS);
  certificate.setSubject(subject);
  certificate.setIssuer(issuer);
  return certificate;
}
