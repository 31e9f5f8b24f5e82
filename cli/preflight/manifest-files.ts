import { readFileSync } from 'node:fs';
import type { ManifestProblem, ManifestReading, SecretReference } from '../../core/preflight/reference.ts';
import { usageError } from '../errors.ts';
import { lineFinder, readYaml } from '../templates/yaml-document.ts';

/** Reads the references in Rekey's own manifests. */
export async function readManifests(
  paths: readonly string[],
): Promise<{ readonly files: number; readonly reading: ManifestReading }> {
  const references: SecretReference[] = [];
  const problems: ManifestProblem[] = [];
  for (const file of paths) {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      throw usageError('UsageInvalid', `${file} does not exist, or cannot be read`);
    }
    try {
      const document = readYaml(text) as { readonly references?: readonly SecretReference[] } | null;
      const lineOf = lineFinder(text);
      for (const [index, one] of (document?.references ?? []).entries()) {
        const line = lineOf(['references', String(index)]);
        const place = { file, pointer: `references[${index}]`, ...(line !== undefined && { line }) };
        references.push({ ...one, format: 'rekey-manifest', place });
      }
    } catch {
      problems.push({
        code: 'ManifestUnreadable',
        place: { file, pointer: '' },
        message: `${file} is no YAML`,
        fix: 'correct it',
      });
    }
  }
  return { files: paths.length, reading: { references, problems } };
}
