import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Metafile } from 'esbuild';
import { noticesFile } from '../../dependencies/notices.ts';
import { billOfMaterials } from '../../dependencies/sbom.ts';
import { bundles, lockedPackages } from '../../dependencies/shipped.ts';
import { packageRoot } from '../../lib/function/bundle.ts';
import { own } from '../../packages/build.ts';
import { manifestOf } from '../../packages/manifest.ts';

/** As much of a bill as these tests read. */
interface Bill {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}
interface Component {
  readonly type: string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly 'bom-ref': string;
  readonly licenses: readonly object[];
  readonly externalReferences?: readonly { readonly url: string; readonly hashes: readonly object[] }[];
}

const locked = lockedPackages();
const all = bundles();
const { rekey, ...functions } = all;
const manifests = {
  constructs: manifestOf('constructs', own, { dependencies: { zod: own.dependencies.zod ?? '' } }),
  cli: manifestOf('cli', own),
};
const texts = {
  constructs: billOfMaterials({ manifest: manifests.constructs, bundles: functions }, locked),
  cli: billOfMaterials({ manifest: manifests.cli, bundles: { rekey: rekey as Metafile } }, locked),
};
const bills: Readonly<Record<keyof typeof texts, Bill>> = {
  constructs: JSON.parse(texts.constructs),
  cli: JSON.parse(texts.cli),
};

const nameOf = ({ group, name }: Component) => (group === undefined ? name : `${group}/${name}`);
const libraries = ({ components }: Bill) => components.filter(({ type }) => type === 'library');

describe('the bills of materials', () => {
  test('name together what the notices name, in the same versions', () => {
    const inNotices = [...readFileSync(noticesFile, 'utf8').matchAll(/^\| (\S+) \| (\d\S*) \|/gm)];
    const listed = Object.values(bills).flatMap(libraries);
    expect([...new Set(listed.map((one) => `${nameOf(one)} ${one.version}`))].sort()).toEqual(
      inNotices.map(([, name, version]) => `${name} ${version}`).sort(),
    );
    expect(inNotices.length).toBeGreaterThan(50);
  });

  test.each(Object.entries(all))('have every package with a byte in %s', (part, { outputs }) => {
    const names = Object.values(outputs)
      .flatMap(({ inputs }) => Object.entries(inputs))
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([file]) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1])
      .filter((name) => name !== undefined);
    const bill = bills[part === 'rekey' ? 'cli' : 'constructs'];
    const held = bill.dependencies.find(({ ref }) => ref.endsWith(`#${part}`))?.dependsOn ?? [];
    const byRef = new Map(bill.components.map((one) => [one['bom-ref'], one]));
    const found = held.map((ref) => byRef.get(ref)).filter((one) => one !== undefined);
    expect([...new Set(found.map(nameOf))].sort()).toEqual([...new Set(names)].sort());
  });

  test.each(Object.entries(bills))(
    'of %s names its package, what installs beside it and its bundles',
    (name, bill) => {
      const ref = `pkg:npm/%40rekey/${name}@${own.version}`;
      expect(bill.metadata.component).toMatchObject({ 'bom-ref': ref, purl: ref, version: own.version });
      const parts = name === 'cli' ? ['rekey'] : Object.keys(functions);
      const zod = name === 'cli' ? [] : [`pkg:npm/zod@${own.dependencies.zod}`];
      expect(bill.dependencies.find((one) => one.ref === ref)?.dependsOn).toEqual(
        [...parts.map((part) => `${ref}#${part}`), ...zod].sort(),
      );
    },
  );

  test.each(Object.entries(bills))(
    'of %s gives each package a licence, an address and a hash',
    (_name, bill) => {
      for (const one of libraries(bill)) {
        expect([nameOf(one), one.licenses.length]).toEqual([nameOf(one), 1]);
        expect(one.purl).toBe(`pkg:npm/${nameOf(one).replace('@', '%40')}@${one.version}`);
        expect(one.externalReferences?.[0]).toMatchObject({
          url: `https://registry.npmjs.org/${nameOf(one)}/-/${one.name}-${one.version}.tgz`,
          hashes: [{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }],
        });
      }
    },
  );

  test.each(Object.entries(bills))('of %s is valid CycloneDX 1.6', (_name, bill) => {
    const Ajv: typeof import('ajv').default = createRequire(import.meta.url)('ajv');
    const folder = join(packageRoot, 'node_modules', '@cyclonedx', 'cyclonedx-library', 'res', 'schema');
    const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const ajv = new Ajv({ strict: false, validateFormats: false });
    for (const file of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json'])
      ajv.addSchema(read(file), `http://cyclonedx.org/schema/${file}`);
    const valid = ajv.validate(read('bom-1.6.SNAPSHOT.schema.json'), bill);
    expect([valid, ajv.errors]).toEqual([true, null]);
  });

  test('are the same each time', () => {
    expect(
      billOfMaterials({ manifest: manifests.constructs, bundles: functions }, [...locked].reverse()),
    ).toBe(texts.constructs);
  });
});

test('a package that the lock file does not have is no part of a bill', () => {
  const without = locked.filter(({ name }) => name !== 'pg');
  expect(() => billOfMaterials({ manifest: manifests.constructs, bundles: functions }, without)).toThrow(
    'node_modules/pg is shipped, and the lock file does not have it',
  );
});
