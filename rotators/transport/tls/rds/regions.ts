import regions from './regions.json' with { type: 'json' };

const covered: ReadonlySet<string> = new Set(regions.covered);

/** Tells whether Rekey brings the authorities with which RDS signs in a region. */
export const coversRegion = (region: string): boolean => covered.has(region);

/**
 * Finds the region in the host name of an RDS, Aurora, DocumentDB or Neptune endpoint; `undefined` for any other. Certificates of
 * RDS are made out to these names, so no other host can present one that is accepted.
 */
export function rdsRegionOf(text: string): string | undefined {
  const match =
    /\.([a-z]{2}(?:-[a-z]+)+-\d)\.(?:rds|docdb|neptune)\.amazonaws\.[a-z.]+/i.exec(text) ??
    /\.(?:rds|docdb|neptune)\.([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com\.cn/i.exec(text);
  return match?.[1]?.toLowerCase();
}
