import { readYamlDocuments } from '../../yaml-document.ts';
import { Collector, readByOf, type Surrounding } from '../collector.ts';
import { isObject, type Json, listOf, type ManifestDocument, textOf, textsIn, valueIn } from '../document.ts';
import { isSecretArn, secretIdOf, secretsOfText } from '../secret-id.ts';
import { storeOf, versionOf } from './external-secret.ts';
import { baseName, type ManifestFinder, type Surroundings } from './finder.ts';
import { collectObjects } from './secrets-store-csi.ts';

/** Keys below which an ARN grants something or tells people of it. */
const noPlace = /^(?:polic(?:y|ies)|resources?|statements?|iam|labels|description|docs?)$/i;
const deepest = 60;

/**
 * Finds references in the values of a chart by their form. Such are ARNs, references of vals, `remoteRef` of External Secrets, and objects of a
 * SecretProviderClass.
 * @see https://helm.sh/docs/chart_template_guide/values_files/
 */
export const helmValues: ManifestFinder = {
  format: 'helm-values',
  title: 'Values of Helm charts',
  recognizes: ({ name, documents }) =>
    (/^values[\w.-]*\.ya?ml$/i.test(baseName(name)) || /[\w-]+[.-]values\.ya?ml$/i.test(baseName(name))) &&
    documents.some(({ value }) => isObject(value)),
  find: (file, around) => {
    const collector = new Collector('helm-values', file);
    const environment = /^values[._-]([A-Za-z][\w-]*)\.ya?ml$/.exec(baseName(file.name))?.[1];
    for (const document of file.documents) {
      if (!isObject(document.value)) continue;
      const role = textsIn(document.value).find(
        ({ pointer }) => pointer.at(-1) === 'eks.amazonaws.com/role-arn',
      )?.text;
      const seen = new Set<string>();
      const given: Surrounding = {
        ...(role !== undefined && { readBy: readByOf('service account of the chart', role) }),
        environment,
      };
      visit(document.value, [], {
        collector,
        document,
        seen,
        around,
        given,
        store: undefined,
        region: undefined,
      });
      collectTexts(collector, document, seen, given);
    }
    return collector.reading;
  },
};

interface Visit {
  readonly collector: Collector;
  readonly document: ManifestDocument;
  /** Ways to texts that were taken. */
  readonly seen: Set<string>;
  readonly around: Surroundings;
  readonly given: Surrounding;
  /** Store that the nearest map around names. */
  readonly store: unknown;
  readonly region: string | undefined;
}

/** Tells whether an entry of a list is an object of a SecretProviderClass of AWS. */
const isProvided = (value: unknown): boolean =>
  isObject(value) && textOf(value.objectName) !== undefined && value.objectType === 'secretsmanager';

const storeNames = [
  'secretStoreRef',
  'secretStore',
  'clusterSecretStore',
  'secretStoreName',
  'store',
  'clusterSecretStoreName',
];

function visit(value: unknown, way: readonly string[], from: Visit): void {
  if (way.length > deepest) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) visit(item, [...way, String(index)], from);
    return;
  }
  if (!isObject(value)) return;
  const named = storeNames
    .map((name) => value[name])
    .find((one) => textOf(one) !== undefined || isObject(one));
  const backend = textOf(value.backendType);
  const here: Visit = {
    ...from,
    store: backend === undefined ? (named ?? from.store) : backend,
    region: textOf(value.region) ?? from.region,
  };
  if (isObject(value.remoteRef)) takeRemote(value.remoteRef, [...way, 'remoteRef'], here);
  else if (backend === 'secretsManager') takeOld(value, way, here);
  for (const [name, item] of Object.entries(value)) {
    if (Array.isArray(item) && item.some(isProvided)) takeObjects(item, [...way, name], here);
    else if (typeof item === 'string' && /objectType:\s*["']?secretsmanager/.test(item)) {
      const [inner] = readYamlDocuments(item);
      if (Array.isArray(inner?.value)) takeObjects(inner.value, [...way, name], here);
    }
  }
  for (const [name, item] of Object.entries(value)) {
    if (item !== value.remoteRef) visit(item, [...way, name], here);
  }
}

function takeRemote(
  remote: Json,
  way: readonly string[],
  { collector, document, seen, around, given, store, region }: Visit,
): void {
  const key = textOf(remote.key);
  if (key === undefined) return;
  seen.add([...way, 'key'].join('\0'));
  const sort = store === undefined ? 'unknown' : storeOf(around.kubernetes, store, '');
  if (sort === 'elsewhere') return;
  if (sort === 'unknown' && !isSecretArn(key)) {
    collector.problem(
      'ReferenceUnresolved',
      collector.at(document, way),
      'nothing tells which store this secret is read from',
      'name the store beside it, or give its manifest as well',
    );
    return;
  }
  const ofStore = sort === 'unknown' ? {} : sort;
  collector.take(secretIdOf(key), collector.at(document, way), {
    ...given,
    ...ofStoreIn(ofStore, region),
    key: textOf(remote.property),
    ...versionOf(textOf(remote.version)),
  });
}

const ofStoreIn = (
  store: { readonly region?: string | undefined },
  region: string | undefined,
): Surrounding => ({
  region: store.region ?? region,
});

function takeOld(
  value: Json,
  way: readonly string[],
  { collector, document, seen, given, region }: Visit,
): void {
  for (const [index, one] of listOf(value.data).entries()) {
    const key = textOf(valueIn(one, 'key'));
    if (key === undefined) continue;
    seen.add([...way, 'data', String(index), 'key'].join('\0'));
    collector.take(secretIdOf(key), collector.at(document, [...way, 'data', String(index)]), {
      ...given,
      region,
      key: textOf(valueIn(one, 'property')),
    });
  }
}

function takeObjects(
  objects: readonly unknown[],
  way: readonly string[],
  { collector, document, seen, given, region }: Visit,
): void {
  for (const index of objects.keys()) seen.add([...way, String(index), 'objectName'].join('\0'));
  const at = (pointer: readonly string[]): ReturnType<Collector['at']> =>
    collector.at(document, [...way, ...pointer]);
  collectObjects(collector, objects, at, { ...given, region });
}

function collectTexts(
  collector: Collector,
  document: ManifestDocument,
  seen: ReadonlySet<string>,
  given: Surrounding,
): void {
  for (const { pointer, text } of textsIn(document.value)) {
    if (seen.has(pointer.join('\0')) || pointer.some((part) => noPlace.test(part))) continue;
    for (const read of secretsOfText(text)) collector.take(read, collector.at(document, pointer), given);
  }
}
