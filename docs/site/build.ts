import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { packageRoot } from '../../lib/function/bundle.ts';
import { own } from '../../packages/build.ts';
import { writeReference } from './reference.ts';

/** Folder that the site is built into, ready for any server of static files. */
const siteFolder = join(packageRoot, '.rekey', 'site');

/** Names the address of the files at the released version, or nothing while they are nowhere that others can read. */
function sources(): string | undefined {
  const address = own.repository?.url.replace(/^git\+/, '').replace(/\.git$/, '');
  return address === undefined ? undefined : `${address}/blob/v${own.version}`;
}

if (import.meta.main) {
  rmSync(siteFolder, { recursive: true, force: true });
  if (writeReference(join(siteFolder, 'api'), sources()))
    process.stdout.write(`${relative(packageRoot, siteFolder)}/api/index.html\n`);
  else process.exitCode = 1;
}
