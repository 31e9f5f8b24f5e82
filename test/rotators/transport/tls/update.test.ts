import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { generate } from 'selfsigned';
import {
  type Certificate,
  createAuthority,
  issueCertificate,
} from '../../../../local/servers/certificates.ts';

const folder = join(import.meta.dirname, '..', '..', '..', '..', 'rotators', 'transport', 'tls', 'rds');
const day = 86_400_000;

/** `npm run authorities` against an HTTPS server that stands in for AWS's. */
describe('the update of the authorities of RDS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rekey-authorities-'));
  const trusted = join(directory, 'trusted.pem');
  const bundles = new Map<string, string>();
  let server: Server;
  let authority: Certificate;
  let origin: string;

  beforeAll(async () => {
    authority = await createAuthority();
    server = createServer(await issueCertificate(authority), (request, response) => {
      const body = bundles.get(request.url ?? '');
      response.writeHead(body === undefined ? 404 : 200).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true });
  });
  beforeEach(() => {
    bundles.clear();
    writeFileSync(trusted, authority.cert);
    for (const name of ['authorities.json', 'regions.json', 'provenance.json']) {
      cpSync(join(folder, name), join(directory, name));
    }
  });

  const read = (name: string) => JSON.parse(readFileSync(join(directory, name), 'utf8'));
  const written = () => ['authorities.json', 'regions.json', 'provenance.json'].map(read);
  /** AWS's three roots of a region, as a bundle. */
  const rootsOf = (region: string): string =>
    read('authorities.json')
      [region].map((base64: string) => `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`)
      .join('');
  const rootNamed = async (name: string) => (await createAuthority(name)).cert;

  function update(...options: string[]): Promise<{ code: number; output: string }> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [join(folder, 'update.ts'), '--into', directory, ...options],
        { env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: trusted }, timeout: 60_000 },
        (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code), output: `${stdout}${stderr}` }),
      );
    });
  }

  test('takes the roots of a new region, and passes over what is none', async () => {
    const expired = await generate(
      [{ name: 'commonName', value: 'Amazon RDS xx-old-1 Root CA RSA2048 G1' }],
      {
        keyType: 'ec',
        notBeforeDate: new Date(Date.now() - 9 * day),
        notAfterDate: new Date(Date.now() - day),
        extensions: [{ name: 'basicConstraints', cA: true }],
      },
    );
    bundles.set(
      '/bundle.pem',
      rootsOf('eu-central-1') +
        (await rootNamed('Amazon RDS me-west-1 Root CA ECC384 G1')) +
        (await rootNamed('Amazon RDS Beta us-east-1 Root CA ECC384 G1')) +
        (await rootNamed('Somebody else')) +
        expired.cert,
    );
    const { code, output } = await update('--from', `${origin}/bundle.pem`);
    expect(output).toContain('4 authorities; passed over: 2 not the root of a region, 1 expired');
    expect(output).toContain('new: Amazon RDS me-west-1 Root CA ECC384 G1');
    expect(code).toBe(0);
    const [certificates, { covered }, provenance] = written();
    expect(covered).toContain('me-west-1');
    expect(covered).not.toContain('xx-old-1');
    expect(certificates['me-west-1']).toHaveLength(1);
    expect(certificates['eu-west-1']).toHaveLength(3);
    expect(provenance.notCovered).not.toHaveProperty('me-west-1');
    expect(provenance.sources[`${origin}/bundle.pem`]).toBe("AWS's own bundle");
  });

  test('changes nothing of a region whose bundle brings nothing new', async () => {
    const [before] = written();
    bundles.set('/bundle.pem', rootsOf('eu-central-1'));
    expect(await update('--from', `${origin}/bundle.pem`)).toMatchObject({ code: 0 });
    expect(written()[0]).toEqual(before);
  });

  test('writes nothing when a root has another fingerprint, until somebody accepts it', async () => {
    const before = written();
    const other = await rootNamed('Amazon RDS eu-central-1 Root CA RSA2048 G1');
    bundles.set('/bundle.pem', other);
    const refused = await update('--from', `${origin}/bundle.pem`);
    expect(refused.output).toContain('Amazon RDS eu-central-1 Root CA RSA2048 G1 has another fingerprint');
    expect(refused.output).toContain('Amazon RDS eu-central-1 Root CA ECC384 G1 is no longer in');
    expect(refused.code).toBe(1);
    expect(written()).toEqual(before);
    expect(await update('--from', `${origin}/bundle.pem`, '--accept-changes')).toMatchObject({ code: 0 });
    expect(written()[0]['eu-central-1']).toHaveLength(1);
  });

  test.each([
    ['no bundle', '/missing.pem', 'answered 404', 3],
    ['no certificate', '/page.pem', 'the bundle holds no PEM certificate', 3],
    ['a certificate that cannot be read', '/torn.pem', 'certificate 1 of the bundle cannot be read', 3],
  ])('keeps what stands when the answer is %s', async (_, path, message, expected) => {
    const before = written();
    bundles.set('/page.pem', '<html>sign in first</html>');
    bundles.set('/torn.pem', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');
    const { code, output } = await update('--from', `${origin}${path}`);
    expect(output).toContain(`${message}; what stands of its regions is kept`);
    expect(code).toBe(expected);
    expect(written()).toEqual(before);
  });

  test('is made over HTTPS only, from a server that is who it says', async () => {
    const before = written();
    expect(await update('--from', 'http://127.0.0.1:1/bundle.pem')).toMatchObject({ code: 3 });
    bundles.set('/bundle.pem', rootsOf('eu-central-1'));
    writeFileSync(trusted, await rootNamed('Another authority'));
    const { code, output } = await update('--from', `${origin}/bundle.pem`);
    expect(output).toContain('unable to verify the first certificate');
    expect(code).toBe(3);
    expect(written()).toEqual(before);
  });
});
