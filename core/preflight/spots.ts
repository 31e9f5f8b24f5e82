import type { Resource } from '../template/template.ts';
import {
  isMap,
  itemsOf,
  literalText,
  mapOf,
  Sensitive,
  type Value,
  type ValueMap,
  valueAt,
} from '../template/value.ts';
import { type SecretText, secretIdOf, secretsOfVariable, secretWithParts, valueFromOf } from './secret-id.ts';

/** A place of a resource in which a secret is, or may be, named. */
export interface Spot {
  readonly path: readonly string[];
  readonly value: Value;
  /** Reads the text that stands there. */
  readonly read: (text: string) => readonly SecretText[];
  /** Role that reads the secret, as far as the resource says. */
  readonly role: Value | undefined;
  /** True where a secret must be named, so that an open value is one that is not known. */
  readonly certain: boolean;
}

const id = (text: string): readonly SecretText[] => [secretIdOf(text)];
const valueFrom = (text: string): readonly SecretText[] => [valueFromOf(text)];
const withParts = (text: string): readonly SecretText[] => [secretWithParts(text)];

/** Makes the spot of a variable, whose name or value says that it names a secret. */
const variable = (name: string, value: Value, path: readonly string[], role: Value | undefined): Spot => ({
  path,
  value,
  role,
  // A text that is sensitive may be a value, and only its form may say that it names a secret.
  read: (text) => secretsOfVariable(value instanceof Sensitive ? '' : name, text),
  certain: secretsOfVariable(name, 'a-name').length > 0,
});

const variablesOf = (
  map: Value | undefined,
  path: readonly string[],
  role: Value | undefined,
): readonly Spot[] =>
  Object.entries(mapOf(map)).map(([name, value]) => variable(name, value, [...path, name], role));

/** Writes the names of properties: as CloudFormation does, or as the interface of ECS, which begins small. */
type Style = (name: string) => string;
const asIs: Style = (name) => name;
/** Writes names as the interface of ECS does. */
export const small: Style = (name) => name.slice(0, 1).toLowerCase() + name.slice(1);

/** Lists the spots of a list of names with their values or secrets. */
function pairs(
  list: Value | undefined,
  path: readonly string[],
  [name, content]: readonly [string, string],
  make: (name: string, value: Value, path: readonly string[]) => Spot | undefined,
): readonly Spot[] {
  return itemsOf(list).flatMap((one, index) => {
    const item = mapOf(one);
    const value = item[content];
    return value === undefined || value === null
      ? []
      : (make(literalText(item[name]) ?? '', value, [...path, String(index), content]) ?? []);
  });
}

/**
 * Lists the spots of a task definition. The agent reads the secrets of containers with the execution role; programs read those that
 * variables name with the task role.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
 */
export function taskDefinitionSpots(task: ValueMap, style: Style = asIs): readonly Spot[] {
  const execution = task[style('ExecutionRoleArn')];
  const own = task[style('TaskRoleArn')];
  const secret = (_: string, value: Value, path: readonly string[]): Spot => ({
    path,
    value,
    role: execution,
    read: valueFrom,
    certain: false,
  });
  const containers = style('ContainerDefinitions');
  return itemsOf(task[containers]).flatMap((one, index) => {
    const container = mapOf(one);
    const at = [containers, String(index)];
    const credentials = [style('RepositoryCredentials'), style('CredentialsParameter')];
    const registry = valueAt(container, ...credentials);
    const options = [style('LogConfiguration'), style('SecretOptions')];
    const named = [style('Name'), style('ValueFrom')] as const;
    return [
      ...(registry === undefined || registry === null
        ? []
        : [{ path: [...at, ...credentials], value: registry, role: execution, read: id, certain: true }]),
      ...pairs(
        container[style('Environment')],
        [...at, style('Environment')],
        [style('Name'), style('Value')],
        (name, value, path) => variable(name, value, path, own),
      ),
      ...pairs(container[style('Secrets')], [...at, style('Secrets')], named, secret),
      ...pairs(valueAt(container, ...options), [...at, ...options], named, secret),
    ];
  });
}

const batch = (properties: ValueMap): readonly Spot[] => {
  const container = mapOf(properties.ContainerProperties);
  const at = ['ContainerProperties'];
  return [
    ...pairs(container.Secrets, [...at, 'Secrets'], ['Name', 'ValueFrom'], (_, value, path) => ({
      path,
      value,
      role: container.ExecutionRoleArn,
      read: valueFrom,
      certain: false,
    })),
    ...pairs(container.Environment, [...at, 'Environment'], ['Name', 'Value'], (name, value, path) =>
      variable(name, value, path, container.JobRoleArn),
    ),
  ];
};

const build = (properties: ValueMap): readonly Spot[] => {
  const path = ['Environment', 'EnvironmentVariables'];
  const listed = itemsOf(valueAt(properties, ...path));
  return pairs(listed, path, ['Name', 'Value'], (name, value, at) => {
    const type = literalText(mapOf(listed[Number(at[2])]).Type);
    if (type === 'PARAMETER_STORE') return undefined;
    return type === 'SECRETS_MANAGER'
      ? { path: at, value, role: properties.ServiceRole, read: withParts, certain: true }
      : variable(name, value, at, properties.ServiceRole);
  });
};

const appRunner = (properties: ValueMap): readonly Spot[] => {
  const role = valueAt(properties, 'InstanceConfiguration', 'InstanceRoleArn');
  return [
    ['SourceConfiguration', 'ImageRepository', 'ImageConfiguration'],
    ['SourceConfiguration', 'CodeRepository', 'CodeConfiguration', 'CodeConfigurationValues'],
  ].flatMap((at) => {
    const path = [...at, 'RuntimeEnvironmentSecrets'];
    return pairs(valueAt(properties, ...path), path, ['Name', 'Value'], (_, value, way) => ({
      path: way,
      value,
      role,
      read: valueFrom,
      certain: false,
    }));
  });
};

const proxy = (properties: ValueMap): readonly Spot[] =>
  pairs(properties.Auth, ['Auth'], ['AuthScheme', 'SecretArn'], (_, value, path) => ({
    path,
    value,
    role: properties.RoleArn,
    read: id,
    certain: true,
  }));

const lambda = (properties: ValueMap): readonly Spot[] =>
  variablesOf(valueAt(properties, 'Environment', 'Variables'), ['Environment', 'Variables'], properties.Role);

const byType: Readonly<Record<string, (properties: ValueMap) => readonly Spot[]>> = {
  'AWS::ECS::TaskDefinition': (properties) => taskDefinitionSpots(properties),
  'AWS::Lambda::Function': lambda,
  'AWS::Serverless::Function': lambda,
  'AWS::Batch::JobDefinition': batch,
  'AWS::CodeBuild::Project': build,
  'AWS::AppRunner::Service': appRunner,
  'AWS::RDS::DBProxy': proxy,
};

/** Lists the spots of a resource by its type. */
export const spotsOf = ({ type, properties }: Resource): readonly Spot[] => byType[type]?.(properties) ?? [];

/** Lists the spots of the configuration of a Lambda function, as its interface writes it. */
export const functionSpots = (configuration: ValueMap): readonly Spot[] => lambda(configuration);

/** Takes JSON that holds nothing open as a value of a template. */
export const asValues = (json: unknown): ValueMap => (isMap(json as Value) ? (json as ValueMap) : {});
