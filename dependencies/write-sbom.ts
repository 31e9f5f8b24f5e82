import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { packageRoot } from '../lib/function/bundle.ts';
import { buildCli, buildConstructs } from '../packages/build.ts';
import { billOfMaterials } from './sbom.ts';
import { lockedPackages } from './shipped.ts';

/** Builds the packages, and writes beside them what each of them ships: `npm run sbom`. */
const folder = join(packageRoot, '.rekey', 'sbom');
mkdirSync(folder, { recursive: true });
for (const build of [buildConstructs, buildCli]) {
  const built = build();
  const file = join(folder, `${basename(built.folder)}.cdx.json`);
  writeFileSync(file, billOfMaterials(built, lockedPackages()));
  process.stdout.write(`${file}\n`);
}
