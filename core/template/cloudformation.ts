import { type Intrinsics, readValue } from './intrinsics.ts';
import {
  type Output,
  pathOfConstruct,
  type Resource,
  resourceKey,
  type Template,
  type TemplateParameter,
  type Waiver,
} from './template.ts';
import { isMap, literalText, type Value, type ValueMap } from './value.ts';

/** JSON of a template, as it was read. */
type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const section = (template: Json, name: string): readonly (readonly [string, Json])[] =>
  Object.entries(isObject(template[name]) ? (template[name] as Json) : {}).filter(
    (entry): entry is [string, Json] => isObject(entry[1]),
  );

/** Tells whether a document is a CloudFormation template: its resources have types. Loops of a transform have none. */
export const isCloudFormation = (document: unknown): document is Json =>
  isObject(document) &&
  (isObject(document.Resources)
    ? Object.entries(document.Resources).every(
        ([name, one]) => name.startsWith('Fn::') || (isObject(one) && typeof one.Type === 'string'),
      )
    : // A stack of the CDK may have nothing but outputs.
      isObject(document.Outputs) &&
      Object.values(document.Outputs).every((one) => isObject(one) && 'Value' in one));

/**
 * Reads a CloudFormation template. YAML comes with its short tags written out, as `{ "Fn::GetAtt": … }`.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
 */
export function readCloudFormation(name: string, template: Json): Template {
  const resources = section(template, 'Resources').filter(([, { Type }]) => typeof Type === 'string');
  const parameters = section(template, 'Parameters');
  const surroundings: Intrinsics = {
    template: name,
    resources: new Set(resources.map(([id]) => id)),
    parameters: new Set(parameters.map(([id]) => id)),
  };
  const read = (value: unknown): Value | undefined => readValue(value, surroundings);
  return {
    name,
    dialect: 'cloudformation',
    resources: resources.map(([id, resource]) => readResource(name, id, resource, read)),
    outputs: section(template, 'Outputs').map(
      ([id, output]): Output => ({
        template: name,
        dialect: 'cloudformation',
        name: id,
        value: read(output.Value) ?? null,
        pointer: ['Outputs', id, 'Value'],
        exportName: isObject(output.Export) ? read(output.Export.Name) : undefined,
        sensitive: false,
      }),
    ),
    parameters: parameters.map(
      ([id, parameter]): TemplateParameter => ({
        template: name,
        dialect: 'cloudformation',
        name: id,
        type: String(parameter.Type),
        defaultValue: read(parameter.Default),
        isChoice: parameter.AllowedValues !== undefined,
        hidden: parameter.NoEcho === true || String(parameter.NoEcho).toLowerCase() === 'true',
        pointer: ['Parameters', id],
      }),
    ),
    drift: [],
  };
}

function readResource(
  template: string,
  id: string,
  resource: Json,
  read: (value: unknown) => Value | undefined,
): Resource {
  const metadata = isObject(resource.Metadata) ? resource.Metadata : {};
  const properties = read(resource.Properties);
  const path = metadata['aws:cdk:path'];
  const policies = [resource.DeletionPolicy, resource.UpdateReplacePolicy];
  return {
    key: resourceKey(template, id),
    template,
    dialect: 'cloudformation',
    id,
    path: typeof path === 'string' ? pathOfConstruct(path) : id,
    type: String(resource.Type),
    properties: isMap(properties) ? properties : {},
    pointer: ['Resources', id, 'Properties'],
    retained: policies.every((policy) => policy === 'Retain'),
    ownedByCdk: isOwnedByCdk(typeof path === 'string' ? path : '', String(resource.Type)),
    waivers: waiversOf(metadata),
  };
}

/**
 * Tells whether the CDK made a resource for work of its own. Such are the providers of its custom resources, its log retention and
 * its deployments of files. Their ids are fixed in the library.
 */
const isOwnedByCdk = (path: string, type: string): boolean =>
  type === 'AWS::CDK::Metadata' ||
  /(?:^|\/)(?:Custom::[A-Za-z]|AWS[0-9a-f]{32}|SingletonLambda[0-9a-f]|BucketNotificationsHandler[0-9a-f]|LogRetention[0-9a-f]{8}|@aws-cdk--)/.test(
    path,
  );

/** Reads the waivers of a resource's metadata; what has another form is none. */
function waiversOf(metadata: Json): readonly Waiver[] {
  const own = metadata.Rekey;
  const listed = isObject(own) ? own.Waive : undefined;
  if (!Array.isArray(listed)) return [];
  return listed.flatMap((entry: unknown) => readWaiver(entry) ?? []);
}

/** Reads a waiver. It gives undefined where a part is missing, so that it waives nothing. */
export function readWaiver(entry: unknown): Waiver | undefined {
  if (!isObject(entry)) return undefined;
  const { rule, reason, until } = entry;
  if (typeof rule !== 'string' || typeof reason !== 'string' || reason.trim() === '') return undefined;
  if (until === undefined) return { rule, reason };
  // A YAML library may read a day as a date.
  const day = until instanceof Date ? until.toISOString().slice(0, 10) : until;
  return typeof day === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(day)
    ? { rule, reason, until: day }
    : undefined;
}

/** Gives the tags of a resource by their keys, as far as they are literal. Both lists and maps are taken. */
export function tagsOf(properties: ValueMap): Readonly<Record<string, string>> {
  const tags = properties.Tags;
  const listed = Array.isArray(tags) ? (tags as readonly Value[]) : [];
  const pairs = isMap(tags)
    ? Object.entries(tags)
    : listed.filter(isMap).map(({ Key, Value: value }) => [literalText(Key) ?? '', value] as const);
  return Object.fromEntries(
    pairs.flatMap(([key, value]) => {
      const text = literalText(value);
      return text === undefined ? [] : [[key, text]];
    }),
  );
}
