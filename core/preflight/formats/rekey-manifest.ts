import * as z from 'zod';
import { near } from '../../suggest.ts';
import { Collector, readByOf } from '../collector.ts';
import { isObject, listOf, type ManifestDocument, objectOf } from '../document.ts';
import { isOpenText, secretIdOf } from '../secret-id.ts';
import { baseName, type ManifestFinder } from './finder.ts';

const text = z.string().min(1).max(600);

/** An entry of the manifest, as a page of the documentation describes it. */
const entry = z.strictObject({
  secret: text,
  key: text.optional(),
  versionStage: text.optional(),
  versionId: text.optional(),
  region: text.optional(),
  account: z
    .string()
    .regex(/^\d{12}$/, 'must be 12 digits in quotes')
    .optional(),
  readBy: text.optional(),
  environment: text.optional(),
});

const fields = Object.keys(entry.shape);

/** Finds the references of a manifest of Rekey's own, for programs that no other format tells of. */
export const rekeyManifest: ManifestFinder = {
  format: 'rekey-manifest',
  title: "Rekey's own manifest",
  recognizes: ({ name }) => /^rekey\.references\.(?:ya?ml|json)$/i.test(baseName(name)),
  find: (file) => {
    const collector = new Collector('rekey-manifest', file);
    for (const document of file.documents) {
      const { references } = objectOf(document.value);
      if (!Array.isArray(references)) {
        collector.problem(
          'ReferenceMalformed',
          collector.at(document, ['references']),
          'references is missing, or is no list',
          'begin the file with references:, and a list of secrets below it',
        );
      }
      for (const [index, one] of listOf(references).entries()) collectEntry(collector, document, one, index);
    }
    return collector.reading;
  },
};

function collectEntry(collector: Collector, document: ManifestDocument, one: unknown, index: number): void {
  const way = ['references', String(index)];
  const read = entry.safeParse(one);
  if (read.success) {
    const { secret, readBy, ...around } = read.data;
    const reader = readBy === undefined ? undefined : readByOf(readBy, readBy);
    collector.take(secretIdOf(secret), collector.at(document, [...way, 'secret']), {
      ...around,
      readBy: reader,
    });
    return;
  }
  for (const message of faultsOf(one, read.error)) {
    collector.problem(
      'ReferenceMalformed',
      collector.at(document, way),
      `references[${index}]${message}`,
      `mend the entry; it may hold ${fields.join(', ')}`,
    );
    return;
  }
}

/** Says what is wrong with an entry: the path, and the nearest name for one that is not known. */
function faultsOf(one: unknown, { issues }: z.ZodError): readonly string[] {
  if (!isObject(one)) return [' is no map: write - secret: <name>'];
  return issues
    .toSorted((a, b) => Number(b.code === 'unrecognized_keys') - Number(a.code === 'unrecognized_keys'))
    .map((issue) => {
      if (issue.code === 'unrecognized_keys') {
        const [key = ''] = issue.keys;
        const [meant] = near(key, fields, 1);
        const shown = /^[\w.-]{1,60}$/.test(key) ? key : 'a key';
        return `.${shown} is not known${meant === undefined ? '' : `; did you mean ${meant}?`}`;
      }
      const path = issue.path.map((part) => `.${String(part)}`).join('');
      const value = issue.path.reduce<unknown>((at, part) => objectOf(at)[String(part)], one);
      const shown =
        typeof value === 'string' && !isOpenText(value) ? ` ${JSON.stringify(value.slice(0, 60))}` : '';
      return `${path}${shown}: ${issue.message}`;
    });
}
