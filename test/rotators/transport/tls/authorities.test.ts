import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { databaseAuthorities, trust } from '../../../../rotators/transport/tls/authorities.ts';
import { connectionFailure } from '../../../../rotators/transport/tls/failures.ts';
import { readBundle } from '../../../../rotators/transport/tls/rds/certificates.ts';
import { coversRegion, rdsRegionOf } from '../../../../rotators/transport/tls/rds/regions.ts';

const folder = join(import.meta.dirname, '..', '..', '..', '..', 'rotators', 'transport', 'tls', 'rds');
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const provenance: {
  sources: Record<string, string>;
  authorities: { region: string; name: string; sha256: string; notAfter: string; sources: string[] }[];
  notCovered: Record<string, string>;
} = read('provenance.json');
const certificates: Record<string, string[]> = read('authorities.json');
const pem = (base64: string) => `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;

describe('the authorities of RDS', () => {
  const { authorities, passedOver } = readBundle(
    Object.values(certificates).flat().map(pem).join(''),
    new Date(Date.now() + 365 * 86_400_000),
  );

  test('are roots of regions, signed by themselves, and valid for a year to come', () => {
    expect([...passedOver]).toEqual([]);
    expect(authorities.length).toBeGreaterThan(100);
  });

  test('stand in the list of where they come from, each with its fingerprint and its end', () => {
    expect(authorities.map(({ certificate: _, ...authority }) => authority).toSorted(byFingerprint)).toEqual(
      provenance.authorities.map(({ sources: _, ...entry }) => entry).toSorted(byFingerprint),
    );
    for (const [region, own] of Object.entries(certificates)) {
      expect(readBundle(own.map(pem).join(''), new Date()).authorities.map((each) => each.region)).toEqual(
        own.map(() => region),
      );
    }
  });

  test("come from AWS's own bundle, or from two sources that agree", () => {
    for (const { name, sources } of provenance.authorities) {
      const known = sources.filter((source) => Object.hasOwn(provenance.sources, source));
      const own = known.some((source) => /^https:\/\/[a-z0-9.-]+\.amazonaws\.com(\.cn)?\//.test(source));
      expect({ name, enough: own || new Set(known).size >= 2 }).toEqual({ name, enough: true });
    }
  });

  test('are there for every region that the CDK knows, or the region is named as not covered', () => {
    const regions = RegionInfo.regions.map(({ name }) => name);
    expect(regions.length).toBeGreaterThan(40);
    const named = (region: string) => coversRegion(region) !== Object.hasOwn(provenance.notCovered, region);
    expect(regions.filter((region) => !named(region))).toEqual([]);
    expect(Object.keys(certificates)).toEqual(read('regions.json').covered);
  });

  test('are taken from a bundle only with a signature that is their own', () => {
    const altered = Buffer.from(certificates['eu-central-1']?.[0] ?? '', 'base64');
    altered.writeUInt8(altered.readUInt8(altered.length - 1) ^ 1, altered.length - 1);
    expect([...readBundle(pem(altered.toString('base64')), new Date()).passedOver]).toEqual([
      ['not signed by itself', 1],
    ]);
  });

  test('are trusted beside the public ones by a function', async () => {
    const all = await databaseAuthorities();
    expect(all).toHaveLength(authorities.length + rootCertificates.length);
    expect(new Set(all.map((each) => new X509Certificate(each).fingerprint256)).size).toBe(all.length);
    await expect(trust(undefined, 'here', databaseAuthorities)).resolves.toBeDefined();
  });
});

test.each([
  ['user "app" at orders.c1x2y3.eu-central-1.rds.amazonaws.com:5432/orders', 'eu-central-1'],
  ['orders.cluster-c1x2y3.us-gov-west-1.rds.amazonaws.com', 'us-gov-west-1'],
  ['orders.c1x2y3.rds.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ['docs.cluster-c1x2y3.eu-west-3.docdb.amazonaws.com', 'eu-west-3'],
  ['user "app" at db.example.com:5432/orders', undefined],
  ['cache.c1x2y3.euc1.cache.amazonaws.com', undefined],
])('the region of %s is %p', (host, region) => {
  expect(rdsRegionOf(host)).toBe(region);
});

describe('a certificate of an unknown authority', () => {
  const refusal = (host: string, code: string) =>
    connectionFailure(`user "app" at ${host}:5432`, 'tls', code).message;
  const code = 'SELF_SIGNED_CERT_IN_CHAIN';

  test('of a region that is not covered, names the region and what to do', () => {
    expect(refusal('orders.c1x2y3.us-gov-west-1.rds.amazonaws.com', code)).toContain(
      "Rekey brings no authorities of RDS in us-gov-west-1: give AWS's bundle of that region in certificateAuthority, and deploy",
    );
  });

  test('of a region that is covered, says how the list is brought up to date', () => {
    expect(refusal('orders.c1x2y3.eu-central-1.rds.amazonaws.com', code)).toContain('npm run authorities');
  });

  test('of no region at all, asks for its authority', () => {
    expect(refusal('db.example.com', code)).toContain('give its authority in certificateAuthority');
  });

  test('is told apart from one that has expired', () => {
    expect(refusal('db.example.com', 'CERT_HAS_EXPIRED')).toMatch(/\(CERT_HAS_EXPIRED\)$/);
  });
});

const byFingerprint = (one: { sha256: string }, other: { sha256: string }): number =>
  one.sha256.localeCompare(other.sha256);
