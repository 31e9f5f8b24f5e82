import { readYamlDocuments } from '../../yaml-document.ts';
import { Collector, readByOf, type Surrounding } from '../collector.ts';
import {
  isObject,
  type Json,
  listOf,
  type ManifestDocument,
  objectOf,
  textOf,
  valueIn,
} from '../document.ts';
import { renderedIn } from '../helm.ts';
import { environmentOf, nameOfObject, namespaceOf } from '../kubernetes.ts';
import type { Place } from '../reference.ts';
import { isOpenText, secretIdOf } from '../secret-id.ts';
import { type ManifestFinder, type Surroundings, someDocument } from './finder.ts';

const isClass = (value: unknown): value is Json =>
  isObject(value) &&
  value.kind === 'SecretProviderClass' &&
  /^secrets-store\.csi\.x-k8s\.io\//.test(textOf(value.apiVersion) ?? '');

/**
 * Finds the objects of a SecretProviderClass of AWS, a YAML text within the YAML. Pods that mount it read with the role of their service
 * account.
 * @see https://github.com/aws/secrets-store-csi-driver-provider-aws#secretproviderclass-options
 */
export const secretsStoreCsi: ManifestFinder = {
  format: 'secrets-store-csi',
  title: 'SecretProviderClass of the Secrets Store CSI driver',
  recognizes: (file) => someDocument(file, isClass),
  find: (file, around) => {
    const collector = new Collector('secrets-store-csi', file);
    for (const document of file.documents) {
      if (!isClass(document.value)) continue;
      const object = renderedIn(document.value, file, around.chartValues(file.name)) as Json;
      if (isOfAws(object)) collectClass(collector, document, object, around);
    }
    return collector.reading;
  },
};

/** Tells whether AWS provides the objects; where Helm decides that, they say so themselves. */
function isOfAws(object: Json): boolean {
  const provider = textOf(valueIn(object, 'spec', 'provider')) ?? '';
  const objects = textOf(valueIn(object, 'spec', 'parameters', 'objects')) ?? '';
  return provider === 'aws' || (isOpenText(provider) && /objectType:\s*["']?secretsmanager/.test(objects));
}

function collectClass(
  collector: Collector,
  document: ManifestDocument,
  object: Json,
  { kubernetes }: Surroundings,
): void {
  const way = ['spec', 'parameters', 'objects'];
  const { objects, region, failoverRegion } = objectOf(valueIn(object, 'spec', 'parameters'));
  const place = collector.at(document, way);
  const text = textOf(objects);
  if (text === undefined) return;
  const [inner] = readYamlDocuments(text);
  if (inner === undefined || inner.fault !== undefined) {
    collector.problem(
      'ManifestUnreadable',
      place,
      `objects of ${nameOfObject(object)} are no YAML of their own`,
      'mend the text behind objects: |',
    );
    return;
  }
  // The text begins on the line behind `objects: |`.
  const at = (pointer: readonly string[]): Place => {
    const line = inner.lineOf(pointer);
    return {
      ...place,
      ...(place.line !== undefined && line !== undefined && { line: place.line + line }),
      pointer: `${place.pointer}${pointer.map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`)).join('')}`,
    };
  };
  const [mounting, ...others] = kubernetes.mountedBy(namespaceOf(object), nameOfObject(object));
  const role =
    mounting === undefined || others.some(({ serviceAccount }) => serviceAccount !== mounting.serviceAccount)
      ? undefined
      : kubernetes.roleOfAccount(mounting.namespace, mounting.serviceAccount);
  const around: Surrounding = {
    readBy: readByOf(mounting?.name ?? `SecretProviderClass ${nameOfObject(object)}`, role),
    environment: environmentOf(object),
  };
  collectObjects(
    collector,
    listOf(inner.value),
    at,
    { ...around, region: textOf(region) },
    textOf(failoverRegion),
  );
}

/** Collects objects of the provider, also as a chart's values hold them. */
export function collectObjects(
  collector: Collector,
  objects: readonly unknown[],
  at: (pointer: readonly string[]) => Place,
  around: Surrounding,
  failoverRegion?: string,
): void {
  for (const [index, one] of objects.entries()) {
    const object = objectOf(one);
    const name = textOf(object.objectName) ?? '';
    const type = textOf(object.objectType);
    const way = [String(index)];
    if (type === 'ssmparameter' || /^arn:[^:]*:ssm:/.test(name)) continue;
    if (type === undefined && !/^arn:[^:]*:secretsmanager:/.test(name)) {
      collector.take(
        {
          kind: 'malformed',
          why: 'objectType must be secretsmanager or ssmparameter where objectName is no ARN',
        },
        at(way),
      );
      continue;
    }
    const asked = (from: Json): Surrounding => ({
      versionStage: textOf(from.objectVersionLabel),
      versionId: textOf(from.objectVersion),
    });
    const paths = listOf(object.jmesPath).map((path, position) => ({
      key: keyOf(textOf(objectOf(path).path)),
      way: [...way, 'jmesPath', String(position)],
    }));
    for (const { key, way: place } of paths.length === 0 ? [{ key: undefined, way }] : paths) {
      collector.take(secretIdOf(name), at(place), { ...around, ...asked(object), key });
    }
    if (isObject(object.failoverObject)) {
      const failover = object.failoverObject;
      collector.take(secretIdOf(textOf(failover.objectName) ?? ''), at([...way, 'failoverObject']), {
        ...around,
        ...asked(failover),
        region: failoverRegion,
      });
    }
  }
}

/** Reads a path of JMESPath that names a key, with its quotes taken off; others are no key. */
const keyOf = (path: string | undefined): string | undefined => {
  const parts = path?.match(/"[^"]*"|[^."]+/g) ?? [];
  const plain = parts.map((part) => part.replaceAll('"', ''));
  return path === undefined || /[|[\]()*@`&]/.test(path) || plain.length === 0 ? undefined : plain.join('.');
};
