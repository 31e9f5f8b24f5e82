import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { NamedWaiver } from '../../core/template/check.ts';
import { readTemplate } from '../../core/template/read.ts';
import { type Template, withPaths } from '../../core/template/template.ts';
import { lineFinder, readYaml } from '../../core/yaml-document.ts';
import { usageError } from '../errors.ts';
import { notesOf } from './acknowledgements.ts';

/** A file with the template that it holds. */
export interface TemplateFile {
  /** Path as a report shows it: relative to the working directory, with slashes. */
  readonly name: string;
  readonly path: string;
  readonly template: Template;
  readonly text: string;
  /** Waivers in the code of the app that the template comes from. */
  readonly acknowledged: readonly NamedWaiver[];
}

const endings = /\.(?:json|ya?ml|template)$/i;
const skipped = new Set(['node_modules', '.git', '.terraform']);

/**
 * Reads templates: each file that is named, those of a CDK's cloud assembly, and all that another folder holds.
 * @throws CliError `TemplateUnreadable` for a path that does not exist, and for a file that holds no template
 */
export async function readTemplateFiles(paths: readonly string[]): Promise<readonly TemplateFile[]> {
  const found = paths.flatMap((path) => {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) {
      throw usageError('TemplateUnreadable', `${path} does not exist`);
    }
    return statSync(path).isDirectory() ? readFolder(path) : [readNamed(path)];
  });
  const unique = [...new Map(found.map((file) => [file.path, file])).values()];
  if (unique.length === 0) {
    throw usageError(
      'TemplateUnreadable',
      `${paths.join(', ')}: no CloudFormation template and no Terraform plan is in there; a plan is written by terraform show -json <plan>`,
    );
  }
  return unique;
}

function readNamed(path: string): TemplateFile {
  const text = textOf(path);
  let document: unknown;
  try {
    document = parsed(text);
  } catch (error) {
    throw usageError(
      'TemplateUnreadable',
      `${path} is neither JSON nor YAML${error instanceof Error ? `: ${firstLine(error.message)}` : ''}`,
    );
  }
  const file = asTemplate(path, text, document);
  if (file !== undefined) return file;
  throw usageError(
    'TemplateUnreadable',
    `${path} is no CloudFormation template (Resources with a Type each) and no Terraform plan; a plan is written by terraform show -json <plan>`,
  );
}

/** Reads a folder. Files of it that hold something else are passed over. */
function readFolder(folder: string): readonly TemplateFile[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  const isAssembly = entries.some(({ name }) => name === 'manifest.json' || name === 'cdk.out');
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      // Assets may hold templates of others; a stage has an assembly of its own.
      const enter = isAssembly ? entry.name.startsWith('assembly-') : !skipped.has(entry.name);
      return enter ? readFolder(path) : [];
    }
    const wanted = isAssembly
      ? /\.(?:template|assets)\.json$|\.template\.ya?ml$/.test(entry.name)
      : endings.test(entry.name);
    return entry.isFile() && wanted ? (readIfTemplate(path) ?? []) : [];
  });
}

function readIfTemplate(path: string): TemplateFile | undefined {
  const text = textOf(path);
  try {
    return asTemplate(path, text, parsed(text));
  } catch {
    return undefined;
  }
}

/** Reads a text; PowerShell writes what a program prints as UTF-16. */
function textOf(path: string): string {
  const bytes = readFileSync(path);
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf16le' : 'utf8';
  return bytes.toString(encoding).replace(/^\ufeff/, '');
}

const parsed = (text: string): unknown => (/^\s*[{[]/.test(text) ? JSON.parse(text) : readYaml(text));

function asTemplate(path: string, text: string, document: unknown): TemplateFile | undefined {
  const name = relative(process.cwd(), path).replaceAll('\\', '/') || basename(path);
  const template = readTemplate(name, document);
  if (template === undefined) return undefined;
  const { pathOf, acknowledged } = notesOf(path);
  return { name, path, template: withPaths(template, pathOf), text, acknowledged };
}

const firstLine = (text: string): string => text.split('\n')[0] ?? '';

/** Finds the line of a place in the file that it is in. Each file is read for it once, when the first place is asked for. */
export function linesIn(
  files: readonly TemplateFile[],
): (name: string, pointer: readonly string[]) => number | undefined {
  const finders = new Map<string, ReturnType<typeof lineFinder>>();
  return (name, pointer) => {
    const file = files.find((one) => one.name === name);
    // A plan is one line, and says nothing of the files that it was made from.
    if (file === undefined || file.template.dialect === 'terraform') return undefined;
    const finder = finders.get(name) ?? lineFinder(file.text);
    finders.set(name, finder);
    return finder(pointer);
  };
}
