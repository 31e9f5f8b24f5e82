import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { ensurePython } from '../../local/emulator/python.ts';
import { run } from '../../local/process/run.ts';
import type { Finding, LinterName } from './finding.ts';
import type { TemplateFile } from './templates.ts';

/** Paths of the three linters; the Python ones live in an environment of their own below `.rekey/`. */
export interface Linters {
  readonly cfnLint: string;
  readonly checkov: string;
  readonly cfnGuard: string;
  /** Folder of the Control Tower rules. */
  readonly guardRules: string;
}

const limitMs = 300_000;

/** Installs the linters at their pinned versions, once per checkout. */
export async function installLinters(): Promise<Linters> {
  const python = await ensurePython({
    requirementsFile: join(import.meta.dirname, 'requirements.txt'),
    log: (line) => console.log(line),
  });
  const programs = dirname(python);
  const guard = dirname(
    createRequire(import.meta.url).resolve('@cdklabs/cdk-validator-cfnguard/package.json'),
  );
  const platform = process.platform === 'darwin' ? 'macos' : 'ubuntu';
  const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  return {
    cfnLint: join(programs, 'cfn-lint'),
    checkov: join(programs, 'checkov'),
    cfnGuard: join(guard, 'bin', platform, architecture, 'cfn-guard'),
    guardRules: join(guard, 'rules', 'control-tower', 'cfn-guard'),
  };
}

/** Runs a linter and reads the JSON that it prints, whatever its exit code; those say that it found something. */
async function output<T>(schema: z.ZodType<T>, [command = '', ...args]: readonly string[]): Promise<T> {
  const { stdout, stderr, exitCode } = await run(command, args, { LOG_LEVEL: 'ERROR' }, limitMs);
  let json: unknown;
  try {
    json = JSON.parse(stdout);
  } catch {
    throw new Error(
      `${command} ended with ${exitCode} and printed no JSON:\n${(stdout + stderr).slice(-2000)}`,
    );
  }
  return schema.parse(json);
}

const finding = (
  linter: LinterName,
  rule: string,
  { stack, types }: TemplateFile,
  resource: string,
  message: string,
): Finding => ({ linter, rule, stack, resource, type: types[resource] ?? '', message });

const cfnLintSchema = z.array(
  z.object({
    Filename: z.string(),
    Message: z.string(),
    Location: z.object({ Path: z.array(z.union([z.string(), z.number()])).nullable() }),
    Rule: z.object({ Id: z.string() }),
  }),
);

/** @see https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md */
export async function cfnLint(
  { cfnLint: program }: Linters,
  templates: readonly TemplateFile[],
  regions: readonly string[],
): Promise<Finding[]> {
  const found = await output(cfnLintSchema, [
    program,
    '--format',
    'json',
    '--regions',
    ...regions,
    '--template',
    ...templates.map(({ file }) => file),
  ]);
  return found.map(({ Filename, Message, Location, Rule }) => {
    const [section, resource] = Location.Path ?? [];
    const id = section === 'Resources' ? String(resource) : '';
    return finding('cfn-lint', Rule.Id, fileOf(templates, Filename), id, Message);
  });
}

const checkovSchema = z.object({
  results: z.object({
    failed_checks: z.array(
      z.object({
        check_id: z.string(),
        check_name: z.string(),
        file_abs_path: z.string(),
        resource: z.string(),
      }),
    ),
    parsing_errors: z.array(z.string()).default([]),
  }),
});

/** @see https://www.checkov.io/5.Policy%20Index/cloudformation.html */
export async function checkov(
  { checkov: program }: Linters,
  templates: readonly TemplateFile[],
): Promise<Finding[]> {
  const { results } = await output(checkovSchema, [
    program,
    '--framework',
    'cloudformation',
    '--skip-download',
    '--compact',
    '--quiet',
    '--output',
    'json',
    ...templates.flatMap(({ file }) => ['--file', file]),
  ]);
  if (results.parsing_errors.length > 0) {
    throw new Error(`checkov cannot read ${results.parsing_errors.join(', ')}`);
  }
  return results.failed_checks.map(({ check_id, check_name, file_abs_path, resource }) =>
    finding(
      'checkov',
      check_id,
      fileOf(templates, file_abs_path),
      resource.split('.').at(-1) ?? '',
      check_name,
    ),
  );
}

const guardSchema = z.array(
  z.object({
    not_compliant: z.array(z.object({ Rule: z.looseObject({ name: z.string() }) })),
  }),
);

/** @see https://docs.aws.amazon.com/controltower/latest/controlreference/proactive-controls.html */
export async function cfnGuard(
  { cfnGuard: program, guardRules }: Linters,
  templates: readonly TemplateFile[],
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const template of templates) {
    const reports = await output(guardSchema, [
      program,
      'validate',
      '--rules',
      guardRules,
      '--data',
      template.file,
      '--output-format',
      'json',
      '--show-summary',
      'none',
      '--structured',
    ]);
    for (const { Rule } of reports.flatMap(({ not_compliant }) => not_compliant)) {
      const text = JSON.stringify(Rule);
      const message = /\[CT\.[^\\"]*/.exec(text)?.[0] ?? Rule.name;
      const named = new Set([...text.matchAll(/"\/Resources\/([A-Za-z0-9]+)/g)].map(([, id = '']) => id));
      for (const resource of named.size === 0 ? [''] : named) {
        found.push(finding('cfn-guard', Rule.name, template, resource, message));
      }
    }
  }
  return found;
}

function fileOf(templates: readonly TemplateFile[], path: string): TemplateFile {
  const found = templates.find(({ file }) => file.endsWith(path) || path.endsWith(file));
  if (found === undefined) {
    throw new Error(`a linter reports on ${path}, which was not given to it`);
  }
  return found;
}
