import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the CDK app made for one environment. */
export interface AssemblyFigures {
  readonly stacks: number;
  readonly resources: number;
  readonly functions: number;
  /** Of the stack with the most. */
  readonly mostResources: number;
  /** Of the largest template. */
  readonly templateBytes: number;
  readonly perStack: Readonly<Record<string, { readonly resources: number; readonly bytes: number }>>;
}

interface Manifest {
  readonly artifacts: Readonly<
    Record<
      string,
      { readonly type: string; readonly properties: { templateFile: string; stackName: string } }
    >
  >;
}

/** Counts what stands in the templates of a cloud assembly. */
export async function countAssembly(directory: string): Promise<AssemblyFigures> {
  const manifest: Manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'));
  const stacks = Object.values(manifest.artifacts).filter(({ type }) => type === 'aws:cloudformation:stack');
  const templates = await Promise.all(
    stacks.map(async ({ properties: { templateFile, stackName } }) => {
      const text = await readFile(join(directory, templateFile), 'utf8');
      const types = Object.values<{ Type: string }>(JSON.parse(text).Resources).map(({ Type }) => Type);
      return { stackName, types, resources: types.length, bytes: Buffer.byteLength(text) };
    }),
  );
  const types = templates.flatMap((template) => template.types);
  return {
    stacks: templates.length,
    resources: types.length,
    functions: types.filter((type) => type === 'AWS::Lambda::Function').length,
    mostResources: Math.max(...templates.map(({ resources }) => resources)),
    templateBytes: Math.max(...templates.map(({ bytes }) => bytes)),
    perStack: Object.fromEntries(
      templates.map(({ stackName, resources, bytes }) => [stackName, { resources, bytes }]),
    ),
  };
}
