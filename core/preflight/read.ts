import { worldOf } from '../template/world.ts';
import { type ManifestFile, objectOf } from './document.ts';
import { isTemplate, templatesOf } from './formats/cloudformation.ts';
import type { ManifestFinder, Surroundings } from './formats/finder.ts';
import { manifestFinders } from './formats/index.ts';
import { kubernetesIn } from './kubernetes.ts';
import type { ManifestFormat, ManifestReading } from './reference.ts';

/** Formats that may stand in one file, a document each. */
const together = new Set<ManifestFormat>(['external-secret', 'secrets-store-csi']);

/** Tells the format of a file by its content first, and by its name second. A file of Kubernetes may have two. */
export function findersOf(
  file: ManifestFile,
  formats: readonly ManifestFormat[] | undefined = undefined,
): readonly ManifestFinder[] {
  const wanted = manifestFinders.filter(({ format }) => formats === undefined || formats.includes(format));
  const found = wanted.filter((finder) => finder.recognizes(file));
  const [first] = found;
  if (first === undefined) return [];
  return together.has(first.format) ? found.filter(({ format }) => together.has(format)) : [first];
}

/** Gathers what files tell each other: templates, objects of Kubernetes, and values of charts. */
export function surroundingsOf(files: readonly ManifestFile[]): Surroundings {
  const templates = files.filter(({ documents }) => documents.some(({ value }) => isTemplate(value)));
  const values = new Map(
    files.flatMap(({ name, documents: [first] }) =>
      /(?:^|\/)values\.ya?ml$/.test(name) && first !== undefined
        ? [[name.replace(/[^/]*$/, ''), objectOf(first.value)] as const]
        : [],
    ),
  );
  return {
    world: worldOf(templates.flatMap(templatesOf)),
    kubernetes: kubernetesIn(files),
    chartValues: (file) => values.get(file.replace(/templates\/.*$/, '')),
  };
}

/**
 * Reads one file by the finders of its format. What it cannot be read by becomes a problem, and only where its format is known or was
 * asked for: other files are nobody's business here.
 */
export function readManifest(
  file: ManifestFile,
  finders: readonly ManifestFinder[],
  around: Surroundings,
): ManifestReading {
  const readings = finders.map((finder) => {
    try {
      return finder.find(file, around);
    } catch {
      return unreadable(file, `it could not be read as ${finder.format}`);
    }
  });
  const looksRight = finders.length > 0 || seemsManifest(file);
  const faults = looksRight ? file.faults.map(({ line, message }) => unreadable(file, message, line)) : [];
  const all = [...readings, ...faults];
  return {
    references: all.flatMap(({ references }) => references),
    problems: all.flatMap(({ problems }) => problems),
  };
}

/** Words by which a broken file counts as a manifest that may name a secret. */
const signs =
  /resource_changes|secretsmanager|SecretProviderClass|ExternalSecret|containerDefinitions|aws_secrets_manager|AWSTemplateFormatVersion|awssecrets:/;

/** Tells whether a file that is broken, or of no known format, was meant to be a manifest. */
export const seemsManifest = ({ name, text }: ManifestFile): boolean =>
  /(?:^|\/)rekey\.references\./.test(name) ||
  (/\.(?:template|tpl)$/.test(name) ? /AWSTemplateFormatVersion/ : signs).test(text);

const unreadable = ({ name }: ManifestFile, message: string, line?: number): ManifestReading => ({
  references: [],
  problems: [
    {
      code: 'ManifestUnreadable',
      place: { file: name, ...(line !== undefined && { line }), pointer: '' },
      message,
      fix: 'mend the file, or leave it out of the check',
    },
  ],
});
