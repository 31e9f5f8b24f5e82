#!/usr/bin/env node
// Plain JavaScript, for two reasons: the compile cache is on before the first other file is read, which halves the time to
// start; and a Node that cannot read the others gets a sentence rather than a stack. The package begins with this file, too.
import { existsSync } from 'node:fs';
import module from 'node:module';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  module.enableCompileCache?.();
  await import('./rekey.ts');
} else {
  const checkout = existsSync(new URL('rekey.ts', import.meta.url));
  const remedy = checkout ? '; npm run -s rekey -- <command> runs on the Node of this checkout' : '';
  process.stderr.write(
    `rekey: NodeTooOld: rekey needs Node 22.18 or later, found ${process.versions.node}${remedy}\n`,
  );
  process.exitCode = 3;
}
