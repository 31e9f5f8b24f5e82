import { isObject, type Json, listOf, type ManifestFile, objectOf, textOf, valueIn } from './document.ts';

/** A store of External Secrets: where its secrets are, and who reads them. */
export interface SecretStore {
  /** True if it is Secrets Manager; Parameter Store and other vendors are not. */
  readonly isOurs: boolean;
  readonly region?: string | undefined;
  readonly role?: string | undefined;
  readonly prefix?: string | undefined;
  /** Service account that it reads with, where it has no role of its own. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string } | undefined;
}

/** A workload that mounts secrets. */
export interface Workload {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Objects of Kubernetes in all files, as far as references need them. */
export interface KubernetesObjects {
  /** Finds a store by its kind; `ClusterSecretStore` has no namespace. */
  readonly store: (kind: string, namespace: string, name: string) => SecretStore | undefined;
  readonly roleOfAccount: (namespace: string, name: string) => string | undefined;
  /** Lists the workloads that mount a SecretProviderClass. */
  readonly mountedBy: (namespace: string, providerClass: string) => readonly Workload[];
}

/** Gives the objects of a file: its documents, and the items of lists. */
const objectsIn = ({ documents }: ManifestFile): readonly Json[] =>
  documents.flatMap(({ value }) => {
    if (!isObject(value)) return [];
    return textOf(value.kind)?.endsWith('List') === true ? listOf(value.items).filter(isObject) : [value];
  });

/** Gives the namespace of an object; empty where it says none. */
export const namespaceOf = (object: Json): string => textOf(valueIn(object, 'metadata', 'namespace')) ?? '';
/** Gives the name of an object. */
export const nameOfObject = (object: Json): string => textOf(valueIn(object, 'metadata', 'name')) ?? '';

/**
 * Gives the environment of an object by its labels.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
 */
export function environmentOf(object: Json): string | undefined {
  const labels = objectOf(valueIn(object, 'metadata', 'labels'));
  return ['environment', 'app.kubernetes.io/environment', 'env', 'stage']
    .map((name) => textOf(labels[name]))
    .find((value) => value !== undefined && /^[\w-]+$/.test(value) && !value.includes('__action_'));
}

const isExternal = (object: Json): boolean => /^external-secrets\.io\//.test(textOf(object.apiVersion) ?? '');

/** Gathers the objects of all files. */
export function kubernetesIn(files: readonly ManifestFile[]): KubernetesObjects {
  const stores = new Map<string, SecretStore>();
  const roles = new Map<string, string>();
  const mounts = new Map<string, Workload[]>();
  const key = (...parts: readonly string[]): string => parts.join('\0');
  const setRole = (namespace: string, name: string, role: string | undefined): void => {
    if (role !== undefined && !role.includes('__action_')) roles.set(key(namespace, name), role);
  };
  for (const object of files.flatMap(objectsIn)) {
    const kind = textOf(object.kind) ?? '';
    const namespace = namespaceOf(object);
    if (/^(?:Cluster)?SecretStore$/.test(kind) && isExternal(object)) {
      stores.set(key(kind, kind === 'SecretStore' ? namespace : '', nameOfObject(object)), storeOf(object));
    }
    if (kind === 'ServiceAccount') {
      setRole(
        namespace,
        nameOfObject(object),
        textOf(valueIn(object, 'metadata', 'annotations', 'eks.amazonaws.com/role-arn')),
      );
    }
    if (kind === 'PodIdentityAssociation') {
      const { namespace: of, serviceAccount, roleARN } = objectOf(object.spec);
      setRole(textOf(of) ?? '', textOf(serviceAccount) ?? '', textOf(roleARN));
    }
    if (kind === 'ClusterConfig') {
      for (const one of listOf(valueIn(object, 'iam', 'podIdentityAssociations'))) {
        const { namespace: of, serviceAccountName, roleARN } = objectOf(one);
        setRole(textOf(of) ?? '', textOf(serviceAccountName) ?? '', textOf(roleARN));
      }
    }
    for (const [mounted, workload] of mountsOf(object)) {
      const at = key(namespace, mounted);
      mounts.set(at, [...(mounts.get(at) ?? []), workload]);
    }
  }
  return {
    store: (kind, namespace, name) =>
      kind === 'ClusterSecretStore'
        ? stores.get(key(kind, '', name))
        : (stores.get(key('SecretStore', namespace, name)) ?? stores.get(key('SecretStore', '', name))),
    roleOfAccount: (namespace, name) => roles.get(key(namespace, name)) ?? roles.get(key('', name)),
    mountedBy: (namespace, providerClass) => mounts.get(key(namespace, providerClass)) ?? [],
  };
}

function storeOf(object: Json): SecretStore {
  const provider = objectOf(valueIn(object, 'spec', 'provider'));
  const aws = objectOf(provider.aws);
  const account = objectOf(valueIn(aws, 'auth', 'jwt', 'serviceAccountRef'));
  const name = textOf(account.name);
  const read = (field: string): string | undefined => {
    const text = textOf(aws[field]);
    return text === undefined || text.includes('__action_') ? undefined : text;
  };
  return {
    isOurs: isObject(provider.aws) && /^SecretsManager$/i.test(textOf(aws.service) ?? 'SecretsManager'),
    region: read('region'),
    role: read('role'),
    prefix: read('prefix'),
    serviceAccount:
      name === undefined ? undefined : { name, namespace: textOf(account.namespace) ?? namespaceOf(object) },
  };
}

/** Finds the template of a workload's pods. */
function podOf(object: Json): Json | undefined {
  const spec = objectOf(object.spec);
  if (object.kind === 'Pod') return spec;
  const template =
    valueIn(spec, 'template', 'spec') ?? valueIn(spec, 'jobTemplate', 'spec', 'template', 'spec');
  return isObject(template) ? template : undefined;
}

function mountsOf(object: Json): readonly (readonly [string, Workload])[] {
  const pod = podOf(object);
  return listOf(pod?.volumes).flatMap((volume) => {
    const csi = objectOf(objectOf(volume).csi);
    const mounted = textOf(valueIn(csi, 'volumeAttributes', 'secretProviderClass'));
    return csi.driver !== 'secrets-store.csi.k8s.io' || mounted === undefined
      ? []
      : [
          [
            mounted,
            {
              name: nameOfObject(object),
              namespace: namespaceOf(object),
              serviceAccount: textOf(pod?.serviceAccountName) ?? 'default',
            },
          ] as const,
        ];
  });
}
