#!/usr/bin/env node
// Plain JavaScript, for two reasons: the compile cache is on before the first TypeScript file is read, which halves
// the time to start; and a Node that cannot read TypeScript gets a sentence rather than a stack.
import module from 'node:module';

if (process.features.typescript) {
  module.enableCompileCache?.();
  await import('./rekey.ts');
} else {
  process.stderr.write(
    `rekey: NodeTooOld: this is Node ${process.versions.node}, rekey needs 24; npm run rekey brings it\n`,
  );
  process.exitCode = 3;
}
