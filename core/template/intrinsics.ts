import { resourceKey } from './template.ts';
import {
  Choice,
  Imported,
  Joined,
  joined,
  literalText,
  nameOfStackOutput,
  Parameter,
  Pseudo,
  Reference,
  StoredSecret,
  Unknown,
  type Value,
} from './value.ts';

/** Names that a template's intrinsic functions may mean. */
export interface Intrinsics {
  readonly template: string;
  readonly resources: ReadonlySet<string>;
  readonly parameters: ReadonlySet<string>;
}

/**
 * Reads a value of a template, with its intrinsic functions and dynamic references.
 * @returns undefined for `AWS::NoValue`, which leaves the property out
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
 */
export function readValue(value: unknown, around: Intrinsics): Value | undefined {
  if (typeof value === 'string') return withStoredSecrets([value]);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.flatMap((item: unknown) => readValue(item, around) ?? []);
  if (typeof value !== 'object') return undefined;
  const entries = Object.entries(value);
  const [first, ...more] = entries;
  if (first !== undefined && more.length === 0) {
    const [name, argument] = first;
    if (name === 'Ref') return reference(String(argument), around);
    if (name.startsWith('Fn::')) return call(name, argument, around);
  }
  return Object.fromEntries(
    entries.flatMap(([name, item]) => {
      const read = readValue(item, around);
      return read === undefined ? [] : [[name, read]];
    }),
  );
}

function reference(name: string, { template, resources, parameters }: Intrinsics): Value | undefined {
  if (name === 'AWS::NoValue') return undefined;
  if (name.startsWith('AWS::')) return new Pseudo(name);
  if (parameters.has(name)) return new Parameter(name);
  return resources.has(name) ? new Reference(resourceKey(template, name)) : new Unknown();
}

function attribute(resource: string, name: string, { template, resources }: Intrinsics): Value {
  return resources.has(resource) ? new Reference(resourceKey(template, resource), name) : new Unknown();
}

function call(name: string, argument: unknown, around: Intrinsics): Value | undefined {
  const list: readonly unknown[] = Array.isArray(argument) ? argument : [];
  const read = (value: unknown): Value => readValue(value, around) ?? null;
  switch (name) {
    case 'Fn::GetAtt': {
      const [resource = '', ...attributes] =
        typeof argument === 'string' ? argument.split('.') : list.map(String);
      return attribute(resource, attributes.join('.'), around);
    }
    case 'Fn::Join': {
      const [separator, items] = list;
      if (!Array.isArray(items)) return new Unknown([read(items)]);
      const parts = items.flatMap((item: unknown) => readValue(item, around) ?? []);
      return withStoredSecrets(
        parts.flatMap((part, index) => (index === 0 ? [part] : [String(separator), part])),
      );
    }
    case 'Fn::Sub':
      return substituted(argument, around);
    case 'Fn::If': {
      const [, ...options] = list;
      const possible = options.flatMap((option) => readValue(option, around) ?? []);
      return possible.length === 0 ? undefined : new Choice(possible);
    }
    case 'Fn::Select': {
      const [index, items] = list;
      const from = readValue(items, around);
      const found = Array.isArray(from) ? (from as readonly Value[])[Number(index)] : undefined;
      return found ?? new Unknown(from === undefined ? [] : [from]);
    }
    case 'Fn::ImportValue':
      return new Imported(read(argument));
    case 'Fn::GetStackOutput': {
      const { OutputName } = (argument ?? {}) as { readonly OutputName?: unknown };
      return typeof OutputName === 'string' ? new Imported(nameOfStackOutput(OutputName)) : new Unknown();
    }
    // What it encodes is readable all the same.
    case 'Fn::Base64':
      return readValue(argument, around);
    default:
      return new Unknown([read(argument)]);
  }
}

/** Reads `Fn::Sub`, in which `${!Name}` stands for itself. */
function substituted(argument: unknown, around: Intrinsics): Value {
  const [text, own] = Array.isArray(argument) ? (argument as readonly unknown[]) : [argument, {}];
  const variables = new Map(Object.entries(typeof own === 'object' && own !== null ? own : {}));
  const parts: Value[] = [];
  let from = 0;
  const template = String(text);
  for (const match of template.matchAll(/\$\{([^}]*)\}/g)) {
    parts.push(template.slice(from, match.index));
    from = match.index + match[0].length;
    const name = (match[1] ?? '').trim();
    if (name.startsWith('!')) parts.push(`\${${name.slice(1)}}`);
    else if (variables.has(name)) parts.push(readValue(variables.get(name), around) ?? '');
    else if (name.includes('.') && !name.startsWith('AWS::')) {
      const [resource = '', ...attributes] = name.split('.');
      parts.push(attribute(resource, attributes.join('.'), around));
    } else parts.push(reference(name, around) ?? '');
  }
  return withStoredSecrets([...parts, template.slice(from)]);
}

/** First character that stands for an open part while a text is searched. No template holds one of them. */
const firstPlace = 0xe000;
const places = /[\ue000-\uf8ff]/;
const dynamicReference = /\{\{resolve:(secretsmanager|ssm-secure):([^{}]*)\}\}/g;

/**
 * Puts parts together, and takes the dynamic references to secret values out of the text. Those to plain parameters (`ssm`) stay
 * text.
 */
function withStoredSecrets(parts: readonly Value[]): Value {
  const flat = parts.flatMap((part) => (part instanceof Joined ? part.parts : [part]));
  const open: Value[] = [];
  const text = flat
    .map((part) => {
      const literal = literalText(part);
      if (literal !== undefined) return literal;
      open.push(part);
      return String.fromCharCode(firstPlace + open.length - 1);
    })
    .join('');
  const found: Value[] = [];
  let from = 0;
  for (const match of text.matchAll(dynamicReference)) {
    found.push(filled(text.slice(from, match.index), open));
    from = match.index + match[0].length;
    found.push(storedSecret(match[1] as StoredSecret['service'], match[2] ?? '', open));
  }
  found.push(filled(text.slice(from), open));
  return joined(found.filter((part) => part !== ''));
}

/** Reads `secret-id:SecretString:json-key:version-stage:version-id`, where the id may be an ARN with colons of its own. */
function storedSecret(service: StoredSecret['service'], text: string, open: readonly Value[]): StoredSecret {
  const [, id = text, ...parts] =
    /^(.*?):SecretString(?::([^:]*)(?::([^:]*)(?::([^:]*))?)?)?/.exec(text) ?? [];
  const [key, stage, version] = parts.map((part) =>
    service !== 'secretsmanager' || part === undefined || part === '' || places.test(part) ? undefined : part,
  );
  return new StoredSecret(service, filled(id, open), key, {
    ...(stage !== undefined && { stage }),
    ...(version !== undefined && { id: version }),
  });
}

/** Puts the open parts back into a text. */
function filled(text: string, open: readonly Value[]): Value {
  const parts = text.split(/([\ue000-\uf8ff])/).filter((part) => part !== '');
  return joined(
    parts.map((part) => (places.test(part) ? (open[part.charCodeAt(0) - firstPlace] ?? part) : part)),
  );
}
