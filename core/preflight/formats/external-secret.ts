import { Collector, readByOf } from '../collector.ts';
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
import {
  environmentOf,
  type KubernetesObjects,
  nameOfObject,
  namespaceOf,
  type SecretStore,
} from '../kubernetes.ts';
import { isSecretArn, secretIdOf } from '../secret-id.ts';
import { type ManifestFinder, type Surroundings, someDocument } from './finder.ts';

const kinds = new Set([
  'ExternalSecret',
  'ClusterExternalSecret',
  'SecretStore',
  'ClusterSecretStore',
  'PushSecret',
]);
const isExternal = (value: unknown): value is Json =>
  isObject(value) &&
  kinds.has(textOf(value.kind) ?? '') &&
  /^(?:external-secrets\.io|kubernetes-client\.io)\//.test(textOf(value.apiVersion) ?? '');

/**
 * Finds what External Secrets reads from Secrets Manager: `remoteRef` and `dataFrom`, by the store that a manifest names. The store
 * says the region and the role.
 * @see https://external-secrets.io/latest/provider/aws-secrets-manager/
 */
export const externalSecret: ManifestFinder = {
  format: 'external-secret',
  title: 'ExternalSecret, ClusterExternalSecret and SecretStore of Kubernetes',
  recognizes: (file) =>
    someDocument(file, (value) => itemsOf(value).some(({ object }) => isExternal(object))),
  find: (file, around) => {
    const collector = new Collector('external-secret', file);
    for (const document of file.documents) {
      for (const { object: written, way } of itemsOf(document.value)) {
        if (!isExternal(written)) continue;
        const object = renderedIn(written, file, around.chartValues(file.name)) as Json;
        const collect = String(object.apiVersion).startsWith('kubernetes-client.io/')
          ? collectOld
          : collectNew;
        collect(collector, document, object, way, around);
      }
    }
    return collector.reading;
  },
};

/** Lists the objects of a document: itself, or the items of a list. */
function itemsOf(value: unknown): readonly { readonly object: unknown; readonly way: readonly string[] }[] {
  return isObject(value) && textOf(value.kind)?.endsWith('List') === true
    ? listOf(value.items).map((object, index) => ({ object, way: ['items', String(index)] }))
    : [{ object: value, way: [] }];
}

/** Kinds of stores, as far as somebody can tell. */
export type StoreSort = SecretStore | 'elsewhere' | 'unknown';

/** Words in the name of a store by which people say whose it is. */
const ofOthers =
  /vault|gcp|gsm|google|azure|akv|1password|onepassword|doppler|akeyless|bitwarden|infisical|conjur|kubernetes|k8s-|gitlab|oracle|ibm|yandex|fake|scaleway|keeper|pulumi|delinea|beyondtrust|dvls|cloak|nebius|mysterybox|passworddepot|chef|senhasegura|passbolt|onboardbase|previder|barbican|webhook/i;
const ofAws = /aws|secrets-?manager/i;

/** Finds the store that a reference names, or tells by its name whose it is. */
export function storeOf(kubernetes: KubernetesObjects, reference: unknown, namespace: string): StoreSort {
  const name = textOf(reference) ?? textOf(objectOf(reference).name) ?? '';
  const kind = textOf(objectOf(reference).kind) ?? 'SecretStore';
  if (name === '') return 'unknown';
  const found = kubernetes.store(kind, namespace, name);
  if (found !== undefined) return found.isOurs ? found : 'elsewhere';
  if (/parameter|ssm/i.test(name) || (ofOthers.test(name) && !/aws/i.test(name))) return 'elsewhere';
  return ofAws.test(name) && !name.includes('__action_') ? { isOurs: true } : 'unknown';
}

/** A reference to a secret in a store, with the way to it. */
interface Remote {
  readonly remote: Json;
  readonly way: readonly string[];
  readonly store: unknown;
}

function collectNew(
  collector: Collector,
  document: ManifestDocument,
  object: Json,
  way: readonly string[],
  { kubernetes }: Surroundings,
): void {
  const kind = textOf(object.kind);
  if (kind !== 'ExternalSecret' && kind !== 'ClusterExternalSecret') return;
  const inner = kind === 'ExternalSecret' ? ['spec'] : ['spec', 'externalSecretSpec'];
  const spec = objectOf(valueIn(object, ...inner));
  const namespace = namespaceOf(object);
  const label = `${kind} ${[namespace, nameOfObject(object)].filter((part) => part !== '').join('/')}`;
  const unknown: (readonly string[])[] = [];
  for (const { remote, way: at, store: reference } of remotesOf(spec)) {
    const key = textOf(remote.key);
    const place = [...way, ...inner, ...at];
    const store = storeOf(kubernetes, reference ?? spec.secretStoreRef, namespace);
    if (store === 'elsewhere') continue;
    if (store === 'unknown' && (key === undefined || !isSecretArn(key))) {
      unknown.push(place);
      continue;
    }
    const known = store === 'unknown' ? { isOurs: true } : store;
    if (key === undefined) {
      collectFound(collector, document, remote, place, known, label);
      continue;
    }
    const named = secretIdOf(key.startsWith('arn:') ? key : `${known.prefix ?? ''}${key}`);
    collector.take(named, collector.at(document, place), {
      key: remote.metadataPolicy === 'Fetch' ? undefined : plainPath(textOf(remote.property)),
      ...versionOf(textOf(remote.version)),
      ...readerOf(kubernetes, known, label),
      environment: environmentOf(object),
    });
  }
  const [first] = unknown;
  if (first !== undefined) {
    const store = textOf(objectOf(spec.secretStoreRef).name) ?? '';
    collector.problem(
      'ReferenceUnresolved',
      collector.at(document, first),
      `${label} reads ${unknown.length} secret${unknown.length === 1 ? '' : 's'} from a store that no file describes${/^[\w.-]+$/.test(store) ? `, ${store}` : ''}`,
      'give the manifest of the store as well',
    );
  }
}

function remotesOf(spec: Json): readonly Remote[] {
  const data = listOf(spec.data).flatMap((one, index) => {
    const { remoteRef, sourceRef } = objectOf(one);
    return isObject(remoteRef)
      ? [
          {
            remote: remoteRef,
            way: ['data', String(index), 'remoteRef'],
            store: valueIn(sourceRef, 'storeRef'),
          },
        ]
      : [];
  });
  const from = listOf(spec.dataFrom).flatMap((one, index) => {
    const { extract, find, sourceRef } = objectOf(one);
    if (isObject(objectOf(sourceRef).generatorRef)) return [];
    const store = valueIn(sourceRef, 'storeRef');
    return [
      ...(isObject(extract) ? [{ remote: extract, way: ['dataFrom', String(index), 'extract'], store }] : []),
      ...(isObject(find) ? [{ remote: find, way: ['dataFrom', String(index), 'find'], store }] : []),
    ];
  });
  return [...data, ...from];
}

/** Collects `find`, which names one secret only where its expression is literal. */
function collectFound(
  collector: Collector,
  document: ManifestDocument,
  find: Json,
  way: readonly string[],
  store: SecretStore,
  label: string,
): void {
  const literal = /^\^((?:[\w/+=@!-]|\\.)+)\$$/.exec(textOf(valueIn(find, 'name', 'regexp')) ?? '')?.[1];
  if (literal !== undefined) {
    collector.take(secretIdOf(literal.replaceAll('\\', '')), collector.at(document, way), {
      region: store.region,
    });
    return;
  }
  collector.problem(
    'ReferenceUnresolved',
    collector.at(document, way),
    `${label} takes all secrets that it finds by an expression, a path or tags, and none by its name`,
    'name the secrets with dataFrom.extract, so that each can be checked',
  );
}

/** Reads a version: a staging label, or `uuid/` before an id. */
export function versionOf(version: string | undefined): {
  readonly versionId?: string;
  readonly versionStage?: string;
} {
  if (version === undefined || version === '') return {};
  return version.startsWith('uuid/') ? { versionId: version.slice(5) } : { versionStage: version };
}

/** Leaves out what GJSON does with a value behind its path. */
const plainPath = (path: string | undefined): string | undefined =>
  path === undefined || path === '' || /[|#@*?]/.test(path) ? undefined : path;

function readerOf(
  kubernetes: KubernetesObjects,
  { region, role, serviceAccount }: SecretStore,
  label: string,
): { readonly region: string | undefined; readonly readBy: ReturnType<typeof readByOf> } {
  const own =
    role ??
    (serviceAccount === undefined
      ? undefined
      : kubernetes.roleOfAccount(serviceAccount.namespace, serviceAccount.name));
  return { region, readBy: readByOf(label, own) };
}

/** Collects the form of the project before External Secrets, which names its backend itself. */
function collectOld(
  collector: Collector,
  document: ManifestDocument,
  object: Json,
  way: readonly string[],
): void {
  const inner = isObject(object.secretDescriptor) ? 'secretDescriptor' : 'spec';
  const spec = objectOf(object[inner]);
  if (spec.backendType !== 'secretsManager') return;
  const label = `ExternalSecret ${[namespaceOf(object), nameOfObject(object)].filter((part) => part !== '').join('/')}`;
  for (const name of ['data', 'dataFrom', 'dataFromWithOptions']) {
    for (const [index, one] of listOf(spec[name]).entries()) {
      const entry = isObject(one) ? one : { key: one };
      collector.take(
        secretIdOf(textOf(entry.key) ?? ''),
        collector.at(document, [...way, inner, name, String(index)]),
        {
          key: textOf(entry.property),
          versionStage: textOf(entry.versionStage),
          versionId: textOf(entry.versionId),
          region: textOf(entry.region) ?? textOf(spec.region),
          readBy: readByOf(label, textOf(entry.roleArn) ?? textOf(spec.roleArn)),
          environment: environmentOf(object),
        },
      );
    }
  }
}
