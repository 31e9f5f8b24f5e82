import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Enums, Models, Serialize, SPDX, Spec } from '@cyclonedx/cyclonedx-library';
import type { Metafile } from 'esbuild';
import { packageRoot } from '../lib/function/bundle.ts';
import { licenceOf } from './licences.ts';
import { type Locked, packagesIn } from './shipped.ts';

/** A package that is published, as its bill of materials needs it. */
export interface Published {
  readonly manifest: {
    readonly name: string;
    readonly version: string;
    readonly description: string;
    readonly license: string;
    /** Packages that npm installs beside it, each at an exact version. */
    readonly dependencies?: Readonly<Record<string, string>>;
  };
  /** Esbuild's account of each bundle in it, by the bundle's name. */
  readonly bundles: Readonly<Record<string, Metafile>>;
}

/** Writes the address of a version of an npm package. */
const purlOf = (name: string, version: string): string => `pkg:npm/${name.replace('@', '%40')}@${version}`;

/** Names a licence by its SPDX id; a choice of several stays an expression. */
function licences(licence: string | undefined): Models.LicenseRepository {
  if (licence === undefined) return new Models.LicenseRepository();
  const one = SPDX.isSupportedSpdxId(licence)
    ? new Models.SpdxLicense(licence)
    : new Models.LicenseExpression(licence);
  return new Models.LicenseRepository([one]);
}

/** Describes a version of an npm package, under its address. */
function component(type: Enums.ComponentType, name: string, version: string, licence?: string) {
  const scope = name.startsWith('@') ? name.slice(0, name.indexOf('/')) : undefined;
  const purl = purlOf(name, version);
  return new Models.Component(type, scope === undefined ? name : name.slice(scope.length + 1), {
    version,
    purl,
    bomRef: purl,
    licenses: licences(licence),
    ...(scope !== undefined && { group: scope }),
  });
}

/** Names the archive that a package of the lock file was unpacked from, with the hash that npm checked. */
function archive({ name, version, integrity = '' }: Locked): Models.ExternalReference {
  const [algorithm, hash = ''] = integrity.split('-', 2);
  const url = `https://registry.npmjs.org/${name}/-/${name.slice(name.indexOf('/') + 1)}-${version}.tgz`;
  const reference = new Models.ExternalReference(url, Enums.ExternalReferenceType.Distribution);
  if (algorithm === 'sha512')
    reference.hashes.set(Enums.HashAlgorithm['SHA-512'], Buffer.from(hash, 'base64').toString('hex'));
  return reference;
}

/** Describes a package of the lock file; its licence is what its own package.json says. */
function library(locked: Locked): Models.Component {
  const { path, name, version = '' } = locked;
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot, path, 'package.json'), 'utf8'));
  const made = component(Enums.ComponentType.Library, name, version, licenceOf(manifest));
  made.externalReferences.add(archive(locked));
  return made;
}

/**
 * Lists what a package ships: its bundles, the packages inside them, and the packages that npm installs beside them. Which
 * bundle holds which package stands in the dependencies. The same code gives the same bill, byte by byte.
 *
 * @throws Error for a package that the lock file does not have
 * @see https://cyclonedx.org/docs/1.6/json/
 */
export function billOfMaterials({ manifest, bundles }: Published, locked: readonly Locked[]): string {
  const { name, version, description, license, dependencies = {} } = manifest;
  const root = component(Enums.ComponentType.Library, name, version, license);
  root.description = description;
  const bom = new Models.Bom({ metadata: new Models.Metadata({ component: root }) });
  const known = new Map<string, Models.Component>();
  const at = (path: string): Models.Component => {
    const found = locked.find((one) => one.path === path);
    if (found === undefined) throw new Error(`${path} is shipped, and the lock file does not have it`);
    const purl = purlOf(found.name, found.version ?? '');
    const made = known.get(purl) ?? library(found);
    known.set(purl, made);
    bom.components.add(made);
    return made;
  };
  for (const [part, metafile] of Object.entries(bundles)) {
    const held = new Models.Component(Enums.ComponentType.Application, part, {
      version,
      bomRef: `${root.bomRef.value}#${part}`,
      licenses: licences(license),
    });
    for (const path of packagesIn(metafile)) held.dependencies.add(at(path).bomRef);
    bom.components.add(held);
    root.dependencies.add(held.bomRef);
  }
  for (const installed of Object.keys(dependencies))
    root.dependencies.add(at(`node_modules/${installed}`).bomRef);
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}
