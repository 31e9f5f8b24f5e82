import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { type Authority, readBundle } from './certificates.ts';

/**
 * Brings the authorities of RDS in this folder up to date from AWS's own bundles, one for each partition. It runs as
 * `npm run authorities`. It writes only if every bundle that could be fetched passes its checks.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
 */

/** AWS's bundles: the commercial regions, AWS GovCloud (US), China. */
const bundles = [
  'https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem',
  'https://truststore.pki.us-gov-west-1.rds.amazonaws.com/global/global-bundle.pem',
  'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem',
];

const longestMs = 30_000;
const mostBytes = 4_000_000;

const provenanceSchema = z.object({
  checked: z.string(),
  sources: z.record(z.string(), z.string()),
  authorities: z.array(
    z.object({
      region: z.string(),
      name: z.string(),
      sha256: z.string(),
      notAfter: z.string(),
      sources: z.array(z.string()),
    }),
  ),
  notCovered: z.record(z.string(), z.string()),
});
type Provenance = z.output<typeof provenanceSchema>;

async function fetchBundle(url: string): Promise<string> {
  if (new URL(url).protocol !== 'https:') throw new Error('must be an https URL');
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(longestMs) });
  if (!response.ok) throw new Error(`answered ${response.status}`);
  const text = await response.text();
  if (text.length > mostBytes) throw new Error(`${text.length} bytes are more than ${mostBytes}`);
  return text;
}

/** Compares a bundle with what stands, and lists what a person should look at before it is trusted. */
function compare(url: string, old: Provenance, fresh: readonly Authority[]): string[] {
  const doubts: string[] = [];
  for (const region of new Set(old.authorities.map((authority) => authority.region))) {
    const before = old.authorities.filter((authority) => authority.region === region);
    const after = fresh.filter((authority) => authority.region === region);
    // A bundle of another partition holds nothing of this region.
    if (after.length === 0) continue;
    for (const { name, sha256 } of before) {
      const same = after.find((authority) => authority.name === name);
      if (same === undefined) doubts.push(`${name} is no longer in ${url}`);
      else if (same.sha256 !== sha256) {
        doubts.push(`${name} has another fingerprint in ${url}: ${same.sha256} instead of ${sha256}`);
      }
    }
  }
  return doubts;
}

/**
 * Updates the files from the bundles.
 * @returns the exit code: 0 done, 1 somebody should look, 3 a bundle could not be had
 */
async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      from: { type: 'string', multiple: true, default: bundles },
      into: { type: 'string', default: import.meta.dirname },
      'accept-changes': { type: 'boolean', default: false },
    },
  });
  const file = (name: string) => join(values.into, name);
  const old = provenanceSchema.parse(JSON.parse(readFileSync(file('provenance.json'), 'utf8')));
  const standing = z
    .record(z.string(), z.array(z.base64()))
    .parse(JSON.parse(readFileSync(file('authorities.json'), 'utf8')));
  const now = new Date();
  const fresh = new Map<string, { readonly authority: Authority; readonly url: string }>();
  const doubts: string[] = [];
  let unreachable = false;
  for (const url of values.from) {
    try {
      const { authorities, passedOver } = readBundle(await fetchBundle(url), now);
      const others = [...passedOver].map(([why, count]) => `${count} ${why}`).join(', ');
      console.log(
        `${url}: ${authorities.length} authorities${others === '' ? '' : `; passed over: ${others}`}`,
      );
      if (authorities.length === 0) doubts.push(`${url} holds no authority of RDS`);
      doubts.push(...compare(url, old, authorities));
      for (const authority of authorities) fresh.set(authority.sha256, { authority, url });
    } catch (error) {
      unreachable = true;
      console.error(`${url}: ${causeOf(error)}; what stands of its regions is kept`);
    }
  }
  if (doubts.length > 0) {
    for (const doubt of doubts) console.error(doubt);
    if (!values['accept-changes']) {
      console.error(
        'Nothing was written. Ask AWS or its documentation, then run it again with --accept-changes.',
      );
      return 1;
    }
  }
  if (fresh.size > 0) write(file, old, Object.values(standing).flat(), fresh, now);
  return unreachable ? 3 : 0;
}

function write(
  file: (name: string) => string,
  old: Provenance,
  standing: readonly string[],
  fresh: ReadonlyMap<string, { readonly authority: Authority; readonly url: string }>,
  now: Date,
): void {
  const all = [...fresh.values()];
  const updated = new Set(all.map(({ authority }) => authority.region));
  const kept = old.authorities.filter(
    ({ region, notAfter }) => !updated.has(region) && notAfter > now.toISOString().slice(0, 10),
  );
  const bySha256 = new Map(standing.map((certificate) => [sha256Of(certificate), certificate]));
  const entries = [
    ...kept.map((authority) => ({ ...authority, certificate: bySha256.get(authority.sha256) ?? '' })),
    ...all.map(({ authority, url }) => ({ ...authority, sources: [url] })),
  ].sort((one, other) => `${one.region} ${one.name}`.localeCompare(`${other.region} ${other.name}`, 'en'));
  const covered = [...new Set(entries.map(({ region }) => region))];
  const known = new Set(old.authorities.map(({ sha256 }) => sha256));
  for (const { region, name, sha256 } of entries) {
    if (!known.has(sha256)) console.log(`new: ${name} (${region}) ${sha256}`);
  }
  const used = new Set(entries.flatMap(({ sources }) => sources));
  const sources = {
    ...Object.fromEntries(Object.entries(old.sources).filter(([name]) => used.has(name))),
    ...Object.fromEntries(all.map(({ url }) => [url, "AWS's own bundle"])),
  };
  const save = (name: string, value: unknown) =>
    writeFileSync(file(name), `${JSON.stringify(value, undefined, 2)}\n`);
  save(
    'authorities.json',
    Object.fromEntries(
      covered.map((region) => [
        region,
        entries.filter((entry) => entry.region === region).map(({ certificate }) => certificate),
      ]),
    ),
  );
  save('regions.json', { covered });
  save('provenance.json', {
    checked: now.toISOString().slice(0, 10),
    sources,
    authorities: entries.map(({ certificate: _, ...entry }) => entry),
    notCovered: Object.fromEntries(
      Object.entries(old.notCovered).filter(([region]) => !covered.includes(region)),
    ),
  } satisfies Provenance);
  console.log(`${entries.length} authorities of ${covered.length} regions`);
}

const sha256Of = (certificate: string): string =>
  createHash('sha256').update(Buffer.from(certificate, 'base64')).digest('hex');

/** Gives the reason of a failure. `fetch` says only that it failed; the reason stands in its cause. */
const causeOf = (error: unknown): string =>
  error instanceof Error
    ? error.cause instanceof Error
      ? error.cause.message
      : error.message
    : String(error);

process.exitCode = await run();
