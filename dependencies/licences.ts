/** Licences under which something may be shipped with Rekey, which is under Apache-2.0. */
const permitted: readonly string[] = [
  'Apache-2.0',
  'MIT',
  'ISC',
  'MIT-0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
];

/** Says whether an SPDX expression permits shipping; a choice of two is a choice of ours. */
export const isPermitted = (licence = ''): boolean =>
  licence
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((one) => permitted.includes(one));

/** Reads the licence that a package.json names. It takes the form of today and the older ones that npm still accepts. */
export function licenceOf(manifest: unknown): string | undefined {
  if (typeof manifest !== 'object' || manifest === null) return undefined;
  const { license, licenses } = manifest as { readonly license?: unknown; readonly licenses?: unknown };
  const all = (Array.isArray(licenses) ? licenses : [license]).map((one: unknown) =>
    typeof one === 'object' && one !== null && 'type' in one ? one.type : one,
  );
  const named = all.filter((one) => typeof one === 'string');
  return named.length === 0 ? undefined : named.join(' OR ');
}
