import { Collector, readByOf } from '../collector.ts';
import {
  isObject,
  type Json,
  listOf,
  type ManifestDocument,
  type ManifestFile,
  objectOf,
  placeIn,
  textOf,
} from '../document.ts';
import { expanded, readsIn } from '../scripts.ts';
import { isSecretArn, secretIdOf, secretsOfVariable } from '../secret-id.ts';
import { baseName, type Include, type ManifestFinder, someDocument } from './finder.ts';

const isCompose = (value: unknown): value is Json =>
  isObject(value) &&
  isObject(value.services) &&
  !('apiVersion' in value) &&
  Object.values(value.services).some(
    (one) =>
      isObject(one) &&
      ['image', 'build', 'environment', 'extends', 'command', 'env_file'].some((name) => name in one),
  );

/**
 * Finds variables of services that name secrets, secrets that are ARNs, and what commands read by the AWS CLI.
 * @see https://github.com/compose-spec/compose-spec/blob/main/spec.md
 */
export const dockerCompose: ManifestFinder = {
  format: 'docker-compose',
  title: 'Docker Compose files',
  recognizes: (file) =>
    someDocument(file, isCompose) ||
    (/^(?:docker-)?compose[\w.-]*\.ya?ml$/i.test(baseName(file.name)) && file.documents.length > 0),
  find: (file) => {
    const collector = new Collector('docker-compose', file);
    const environment = /^(?:docker-)?compose[._-]([A-Za-z]\w*)\.ya?ml$/.exec(baseName(file.name))?.[1];
    const named = environment === 'override' ? undefined : environment;
    for (const document of file.documents) {
      const { services, secrets } = objectOf(document.value);
      for (const [name, service] of Object.entries(objectOf(services))) {
        if (isObject(service)) collectService(collector, document, name, service, named);
      }
      for (const [name, secret] of Object.entries(objectOf(secrets))) {
        const id = textOf(objectOf(secret).name) ?? '';
        if (isSecretArn(id))
          collector.take(secretIdOf(id), collector.at(document, ['secrets', name, 'name']), {
            environment: named,
          });
        const composed = textOf(objectOf(objectOf(secret)['x-secrets']).Name);
        if (composed !== undefined) {
          collector.take(
            secretIdOf(withDefaults(composed)),
            collector.at(document, ['secrets', name, 'x-secrets', 'Name']),
            { environment: named },
          );
        }
      }
    }
    return collector.reading;
  },
  includes: (file) => file.documents.flatMap((document) => includesOf(file, document)),
};

/** Puts defaults in the place of variables that have one; `$$` stands for itself. */
const withDefaults = (text: string): string => expanded(text, new Map());

function collectService(
  collector: Collector,
  document: ManifestDocument,
  name: string,
  service: Json,
  environment: string | undefined,
): void {
  const way = ['services', name];
  const around = { readBy: readByOf(`service ${name}`), environment };
  const variables = variablesOf(service.environment);
  for (const { variable, text, at } of variables) {
    // A variable that is passed on from outside under any name is settled there.
    for (const read of secretsOfVariable(variable, withDefaults(text))) {
      collector.take(read, collector.at(document, [...way, 'environment', at]), around);
    }
  }
  const known = new Map(variables.map(({ variable, text }) => [variable, withDefaults(text)]));
  for (const part of ['entrypoint', 'command']) {
    const lines = typeof service[part] === 'string' ? [service[part]] : listOf(service[part]);
    for (const [index, line] of lines.entries()) {
      const script = (textOf(line) ?? '').replaceAll('$$', '$');
      for (const { secret, line: _, ...read } of readsIn(script, known)) {
        const place = [...way, part, ...(lines.length === 1 ? [] : [String(index)])];
        collector.take(secretIdOf(secret), collector.at(document, place), { ...around, ...read });
      }
    }
  }
  const credentials = textOf(service['x-aws-pull_credentials']);
  if (credentials !== undefined) {
    collector.take(
      secretIdOf(withDefaults(credentials)),
      collector.at(document, [...way, 'x-aws-pull_credentials']),
      around,
    );
  }
}

interface Variable {
  readonly variable: string;
  readonly text: string;
  readonly at: string;
}

function variablesOf(environment: unknown): readonly Variable[] {
  if (Array.isArray(environment)) {
    return environment.flatMap((one: unknown, index) => {
      const [, variable, text] = /^([^=]+)=(.*)$/s.exec(textOf(one) ?? '') ?? [];
      return variable === undefined || text === undefined ? [] : [{ variable, text, at: String(index) }];
    });
  }
  return Object.entries(objectOf(environment)).flatMap(([variable, value]) => {
    const text = textOf(value);
    return text === undefined ? [] : [{ variable, text, at: variable }];
  });
}

function includesOf(file: ManifestFile, document: ManifestDocument): readonly Include[] {
  const { include, services } = objectOf(document.value);
  const included = listOf(include).flatMap((one, index): readonly Include[] => {
    const path = textOf(one) ?? objectOf(one).path;
    const paths = typeof path === 'string' ? [path] : listOf(path).flatMap((each) => textOf(each) ?? []);
    return paths.map((each) => ({
      path: each,
      from: 'file',
      place: placeIn(file, document, ['include', String(index)]),
    }));
  });
  const extended = Object.entries(objectOf(services)).flatMap(([name, service]): readonly Include[] => {
    const path = textOf(objectOf(objectOf(service).extends).file);
    return path === undefined
      ? []
      : [{ path, from: 'file', place: placeIn(file, document, ['services', name, 'extends']) }];
  });
  return [...included, ...extended].filter(({ path }) => !/[$]|^(?:https?|oci|git):/.test(path));
}
