import { readFileSync } from 'node:fs';
import type { Configuration } from '../../lib/config/schema.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { testApp } from '../synth/support/app.ts';

/** A synthesized template, as the linters read it. */
export interface TemplateFile {
  readonly stack: string;
  readonly file: string;
  /** CloudFormation types by logical id. */
  readonly types: Readonly<Record<string, string>>;
}

/** Synthesizes an environment of a configuration, every stack of it. */
export function synthesize(configuration: Configuration, environment: string): TemplateFile[] {
  const settings = configuration.environments[environment];
  if (settings === undefined) {
    throw new Error(`no environment ${environment}`);
  }
  const app = testApp();
  new RekeyEnvironment(app, environment, { configuration: settings, directory: import.meta.dirname });
  const assembly = app.synth();
  return assembly.stacksRecursively.map(({ stackName, templateFullPath: file }) => {
    const { Resources }: { Resources: Record<string, { Type: string }> } = JSON.parse(
      readFileSync(file, 'utf8'),
    );
    const types = Object.fromEntries(Object.entries(Resources).map(([id, { Type }]) => [id, Type]));
    return { stack: stackName, file, types };
  });
}
