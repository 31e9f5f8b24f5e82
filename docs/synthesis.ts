import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';

const { context }: { context: Record<string, unknown> } = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'cdk.json'), 'utf8'),
);

/** A stack as the CDK wrote it. */
type SynthesizedStack = ReturnType<App['synth']>['stacks'][number];

/** Synthesizes an app as Rekey's own is, but for the bundling of functions, and removes what was written. */
export function synthesizeApp<Result>(
  build: (app: App) => void,
  read: (stack: SynthesizedStack) => Result,
  options: { readonly skipValidation?: boolean } = {},
): Result[] {
  const outdir = mkdtempSync(join(tmpdir(), 'rekey-docs-'));
  try {
    // Tests of the synth hold templates to CloudFormation's rules, which takes half of a synth's time.
    const app = new App({
      context: { ...context, 'aws:cdk:bundling-stacks': [] },
      outdir,
      builtinCloudFormationValidation: false,
    });
    build(app);
    // Templates are read from the folder when they are asked for.
    return app.synth(options).stacks.map(read);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
