/**
 * Value of a property. Literal JSON stays as it is; what a template or a plan leaves open stands as one of the classes below,
 * so that a rule never takes it for text.
 */
export type Value = string | number | boolean | null | readonly Value[] | ValueMap | Open;

/** Properties by their names. */
export interface ValueMap {
  readonly [name: string]: Value;
}

/** Value that is settled outside of the template: at the deploy, or at the apply. */
export type Open =
  | Reference
  | Parameter
  | StoredSecret
  | Pseudo
  | Imported
  | Joined
  | Choice
  | Sensitive
  | Unknown;

/** An attribute of a resource of the same template or plan; without one, what `Ref` gives. */
export class Reference {
  /** Key of the resource, see `resourceKey`. */
  readonly target: string;
  readonly attribute: string | undefined;
  constructor(target: string, attribute?: string) {
    this.target = target;
    this.attribute = attribute;
  }
}

/** A parameter of a stack, or an input variable of a Terraform module. */
export class Parameter {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A value of a secret that CloudFormation reads while it deploys and hands to the resource: a dynamic reference.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
 */
export class StoredSecret {
  readonly service: 'secretsmanager' | 'ssm-secure';
  /** Text between the service and the closing braces, with the secret that it names. */
  readonly reference: Value;
  /** Key of the secret's JSON; undefined for the whole value. */
  readonly key: string | undefined;
  /** Staging label and version that it asks for. @default - the current version */
  readonly version: { readonly stage?: string; readonly id?: string };
  constructor(
    service: StoredSecret['service'],
    reference: Value,
    key?: string,
    version: StoredSecret['version'] = {},
  ) {
    this.service = service;
    this.reference = reference;
    this.key = key;
    this.version = version;
  }
}

/** A pseudo parameter, such as `AWS::Region`. */
export class Pseudo {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Writes the name under which an output is found that is read without an export, by `Fn::GetStackOutput`. */
export const nameOfStackOutput = (output: string): string => `Fn::GetStackOutput ${output}`;

/** A value that another stack exports, or gives out. */
export class Imported {
  readonly name: Value;
  constructor(name: Value) {
    this.name = name;
  }
}

/** A text that is put together of parts, some of which are open. */
export class Joined {
  readonly parts: readonly Value[];
  constructor(parts: readonly Value[]) {
    this.parts = parts;
  }
}

/** A value that is one of several, by a condition of the template. */
export class Choice {
  readonly options: readonly Value[];
  constructor(options: readonly Value[]) {
    this.options = options;
  }
}

/** A value that Terraform marks as sensitive. A plan holds it in plain text, so nothing may print it. */
export class Sensitive {
  readonly value: Value;
  constructor(value: Value) {
    this.value = value;
  }
}

/** A value of which no more is known than what it is made of. */
export class Unknown {
  readonly from: readonly Value[];
  constructor(from: readonly Value[] = []) {
    this.from = from;
  }
}

const openClasses = [
  Reference,
  Parameter,
  StoredSecret,
  Pseudo,
  Imported,
  Joined,
  Choice,
  Sensitive,
  Unknown,
];

/** Tells whether a value is settled outside of the template. */
export const isOpen = (value: Value | undefined): value is Open =>
  openClasses.some((one) => value instanceof one);

/** Tells whether a value is a map of properties. */
export const isMap = (value: Value | undefined): value is ValueMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isOpen(value);

const isList = (value: Value | undefined): value is readonly Value[] => Array.isArray(value);

/** Gives the properties of a value; none where it is something else. */
export const mapOf = (value: Value | undefined): ValueMap => {
  const inner = revealed(value);
  return isMap(inner) ? inner : {};
};

/** Gives the items of a list. One value alone is a list of itself, as CloudFormation takes it; nothing is an empty one. */
export function itemsOf(value: Value | undefined): readonly Value[] {
  const inner = revealed(value);
  if (inner === undefined || inner === null) return [];
  return isList(inner) ? inner : [inner];
}

/** Takes Terraform's mark off a value. */
export const revealed = (value: Value | undefined): Value | undefined =>
  value instanceof Sensitive ? revealed(value.value) : value;

/** Gives a literal text, also that of a number or a boolean; undefined for everything else. */
export function literalText(value: Value | undefined): string | undefined {
  const inner = revealed(value);
  return typeof inner === 'string' || typeof inner === 'number' || typeof inner === 'boolean'
    ? String(inner)
    : undefined;
}

/** Reads a switch, which templates write as a boolean or as its word; undefined where it is absent or open. */
export function literalSwitch(value: Value | undefined): boolean | undefined {
  const text = literalText(value)?.toLowerCase();
  if (text === 'true' || text === '1' || text === 'on') return true;
  return text === 'false' || text === '0' || text === 'off' ? false : undefined;
}

/** Tells whether a property is left out: absent or null. An open value counts as given. */
export const isAbsent = (value: Value | undefined): boolean => value === undefined || value === null;

/** Reads a value below others by its names. */
export function valueAt(value: Value | undefined, ...path: readonly string[]): Value | undefined {
  let at = revealed(value);
  for (const name of path) at = isMap(at) ? revealed(at[name]) : undefined;
  return at;
}

/** A value within another, with the way to it. */
export interface Leaf {
  readonly path: readonly string[];
  readonly value: Value;
}

/** Lists every text, number and open value within a value. Sensitive values are given with their mark. */
export function leavesOf(value: Value | undefined, path: readonly string[] = []): readonly Leaf[] {
  if (value === undefined || value === null) return [];
  if (isList(value)) return value.flatMap((item, index) => leavesOf(item, [...path, String(index)]));
  if (isMap(value)) return Object.entries(value).flatMap(([name, item]) => leavesOf(item, [...path, name]));
  if (value instanceof Sensitive && (isList(value.value) || isMap(value.value))) {
    return leavesOf(value.value, path).map((leaf) => ({ ...leaf, value: marked(leaf.value) }));
  }
  return [{ path, value }];
}

const marked = (value: Value): Value => (value instanceof Sensitive ? value : new Sensitive(value));

/** Lists the values that an open value is made of, itself first. */
export function ingredientsOf(value: Value | undefined): readonly Value[] {
  if (value === undefined || value === null) return [];
  const inner = insideOf(value);
  return [value, ...inner.flatMap(ingredientsOf)];
}

function insideOf(value: Value): readonly Value[] {
  if (value instanceof Joined) return value.parts;
  if (value instanceof Choice) return value.options;
  if (value instanceof Unknown) return value.from;
  if (value instanceof Sensitive) return [value.value];
  if (value instanceof Imported) return [value.name];
  if (value instanceof StoredSecret) return [value.reference];
  if (isList(value)) return value;
  return isMap(value) ? Object.values(value) : [];
}

/** Character that stands for an open part where a text is read; templates have no use for it. */
export const openMark = '\ufffc';

/** Writes a text with {@link openMark} for each open part; undefined for a value that is no text. */
export function writtenText(value: Value | undefined): string | undefined {
  const inner = revealed(value);
  if (!(inner instanceof Joined)) return typeof inner === 'string' ? inner : undefined;
  return inner.parts.map((part) => literalText(part) ?? openMark).join('');
}

/** Puts parts together to a text, which stays a text where none of them is open. */
export function joined(parts: readonly Value[]): Value {
  const flat: Value[] = [];
  for (const part of parts.flatMap((one) => (one instanceof Joined ? one.parts : [one]))) {
    const text = part instanceof Sensitive ? undefined : literalText(part);
    const last = flat.at(-1);
    if (text !== undefined && typeof last === 'string') flat[flat.length - 1] = last + text;
    else flat.push(text ?? part);
  }
  if (flat.length === 0) return '';
  return flat.length === 1 && flat[0] !== undefined ? flat[0] : new Joined(flat);
}
