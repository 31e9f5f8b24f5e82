import { type Drift, type Output, type Resource, resourceKey, type Template } from './template.ts';
import { asCloudFormation } from './terraform-types.ts';
import { Parameter, Reference, Sensitive, Unknown, type Value, type ValueMap } from './value.ts';

/** JSON of a plan, as it was read. */
type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const objectOf = (value: unknown): Json => (isObject(value) ? value : {});
const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** Major version of the plan's format that is read here. */
const knownFormat = /^[01]\./;

/** Tells whether a document is a plan of Terraform or OpenTofu, as `terraform show -json <plan>` prints it. */
export const isTerraformPlan = (document: unknown): document is Json =>
  isObject(document) &&
  typeof document.format_version === 'string' &&
  knownFormat.test(document.format_version) &&
  Array.isArray(document.resource_changes);

/** A module of the configuration, with the calls that lead to it. */
interface Module {
  /** Address of its instances without indexes, such as `module.database`; empty for the root. */
  readonly address: string;
  readonly body: Json;
  /** Resources of the body by their addresses, the first of each. */
  readonly resources: ReadonlyMap<string, Json>;
  /** Expressions that the caller gives to its variables. */
  readonly given: Json;
  readonly parent: Module | undefined;
}

/**
 * Reads a Terraform plan. Resources stand under CloudFormation's names, as far as a rule looks at them; other types keep theirs.
 * @see https://developer.hashicorp.com/terraform/internals/json-format
 */
export function readTerraformPlan(name: string, plan: Json): Template {
  const configuration = objectOf(plan.configuration);
  const root = objectOf(configuration.root_module);
  const modules = modulesOf({
    address: '',
    body: root,
    resources: resourcesIn(root),
    given: {},
    parent: undefined,
  });
  const changes = listOf(plan.resource_changes);
  const addresses = changes.filter(isManaged).map((change) => String(change.address));
  const around: Around = { name, modules, instances: Map.groupBy(addresses, withoutIndexes) };
  return {
    name,
    dialect: 'terraform',
    resources: changes.flatMap((change, index) => readChange(change, index, around) ?? []),
    outputs: outputsOf(plan, around),
    parameters: variablesOf(name, objectOf(configuration.root_module)),
    drift: listOf(plan.resource_drift).map(
      (one): Drift => ({ address: String(one.address), actions: actionsOf(objectOf(one.change)) }),
    ),
  };
}

interface Around {
  readonly name: string;
  readonly modules: ReadonlyMap<string, Module>;
  /** Addresses of the managed resources in the plan, by how the configuration writes them. */
  readonly instances: ReadonlyMap<string, readonly string[]>;
}

const isManaged = (change: Json): boolean => change.mode === undefined || change.mode === 'managed';

const actionsOf = (change: Json): readonly string[] =>
  Array.isArray(change.actions) ? change.actions.map(String) : [];

const resourcesIn = (body: Json): ReadonlyMap<string, Json> =>
  new Map(
    listOf(body.resources)
      .map((one) => [String(one.address), one] as const)
      .toReversed(),
  );

function modulesOf(root: Module): ReadonlyMap<string, Module> {
  const found = new Map<string, Module>();
  const visit = (module: Module): void => {
    found.set(module.address, module);
    for (const [name, call] of Object.entries(objectOf(module.body.module_calls))) {
      if (!isObject(call)) continue;
      const address = module.address === '' ? `module.${name}` : `${module.address}.module.${name}`;
      const body = objectOf(call.module);
      visit({
        address,
        body,
        resources: resourcesIn(body),
        given: objectOf(call.expressions),
        parent: module,
      });
    }
  };
  visit(root);
  return found;
}

/** Takes the indexes off an address: `module.a[0].aws_x.y["b"]` is written `module.a.aws_x.y` in the configuration. */
const withoutIndexes = (address: string): string => address.replace(/\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]/g, '');

function readChange(change: Json, index: number, around: Around): Resource | undefined {
  const address = String(change.address);
  const type = String(change.type);
  const what = objectOf(change.change);
  const actions = actionsOf(what);
  if (!isManaged(change) || !isObject(what.after)) return undefined;
  const module = around.modules.get(withoutIndexes(String(change.module_address ?? '')));
  const declared = withoutIndexes(address);
  const local =
    module === undefined || module.address === '' ? declared : declared.slice(module.address.length + 1);
  const configured = module?.resources.get(local);
  const expressions = objectOf(configured?.expressions);
  const scope: Scope = { around, module, from: address, isDeclared: configured !== undefined };
  const after = merged(what.after, what.after_unknown, what.after_sensitive, expressions, scope);
  const link = (attribute: string): Value | undefined => linkOf(expressions[attribute], scope);
  const normal = asCloudFormation(type, after as ValueMap, link);
  const before = isObject(what.before)
    ? (merged(what.before, {}, what.before_sensitive, {}, scope) as ValueMap)
    : undefined;
  return {
    key: resourceKey(around.name, address),
    template: around.name,
    dialect: 'terraform',
    id: address,
    path: address,
    type: normal.type,
    properties: normal.properties,
    pointer: ['resource_changes', String(index), 'change', 'after'],
    retained: false,
    ownedByCdk: false,
    waivers: [],
    change: {
      actions,
      before: before === undefined ? undefined : asCloudFormation(type, before, () => undefined).properties,
    },
  };
}

/** The place from which names of the configuration are looked up. */
interface Scope {
  readonly around: Around;
  readonly module: Module | undefined;
  /** Address of the resource that refers. */
  readonly from: string;
  /** True if the plan tells how the resource is configured; then what it leaves out is left out. */
  readonly isDeclared: boolean;
}

/**
 * Joins what a plan says of a value in three places. They tell what it will be, what of it only the apply settles, and what is
 * sensitive. The unknown is read from the configuration's expressions.
 */
function merged(
  after: unknown,
  unknown: unknown,
  sensitive: unknown,
  expression: unknown,
  scope: Scope,
): Value {
  if (sensitive === true) {
    return new Sensitive(merged(after, unknown, false, expression, scope));
  }
  // What nobody wrote is filled by the provider, as what is left out of a template is by CloudFormation.
  if (unknown === true)
    return scope.isDeclared && expression === undefined ? null : openValue(expression, scope);
  if (Array.isArray(after) || Array.isArray(unknown)) {
    const [items, unknowns, marks] = [after, unknown, sensitive].map((one): unknown[] =>
      Array.isArray(one) ? one : [],
    ) as [unknown[], unknown[], unknown[]];
    const blocks = Array.isArray(expression) ? expression : undefined;
    return Array.from({ length: Math.max(items.length, unknowns.length) }, (_, index) =>
      merged(
        items[index],
        unknowns[index],
        marks[index],
        blocks?.[index] ?? blocks?.[0] ?? expression,
        scope,
      ),
    );
  }
  if (isObject(after) || isObject(unknown)) {
    const [values, unknowns, marks] = [objectOf(after), objectOf(unknown), objectOf(sensitive)];
    const names = new Set([...Object.keys(values), ...Object.keys(unknowns)]);
    return Object.fromEntries(
      [...names].map((name) => [
        name,
        merged(values[name], unknowns[name], marks[name], partOf(expression, name), scope),
      ]),
    );
  }
  return typeof after === 'string' || typeof after === 'number' || typeof after === 'boolean' ? after : null;
}

/** Gives the expression of a part; that of an attribute stands for all of its parts. */
function partOf(expression: unknown, name: string): unknown {
  if (!isObject(expression)) return undefined;
  return 'references' in expression || 'constant_value' in expression ? expression : expression[name];
}

function openValue(expression: unknown, scope: Scope): Value {
  const values = referencesOf(expression).map((name) => lookUp(name, scope));
  const [only, ...more] = values;
  return only !== undefined && more.length === 0 ? only : new Unknown(values);
}

/** Gives what an attribute refers to where that is one resource, even if its value is known already. */
function linkOf(expression: unknown, scope: Scope): Value | undefined {
  const [only, ...more] = referencesOf(expression).map((name) => lookUp(name, scope));
  return more.length === 0 && only instanceof Reference ? only : undefined;
}

/** Lists the names in an expression, without those that only begin another one: Terraform lists `a.b` beside `a.b.arn`. */
function referencesOf(expression: unknown): readonly string[] {
  if (!isObject(expression)) return [];
  const names = Array.isArray(expression.references) ? expression.references.map(String) : [];
  return names.filter(
    (name) => !names.some((other) => other.startsWith(`${name}.`) || other.startsWith(`${name}[`)),
  );
}

/** Follows modules no deeper than this, against a plan that leads in circles. */
const deepest = 20;

/** Finds what a name in the configuration means: a resource, a variable, or the output of a module. */
function lookUp(name: string, scope: Scope, depth = 0): Value {
  const { module, around } = scope;
  if (depth > deepest) return new Unknown();
  const [first = '', second = '', third = ''] = withoutIndexes(name).split('.');
  if (first === 'var') {
    const given = module?.given[second];
    if (module?.parent === undefined) return new Parameter(second);
    return followed(given, { ...scope, module: module.parent }, depth);
  }
  if (first === 'module') {
    const inner = around.modules.get(
      module === undefined || module.address === ''
        ? `module.${second}`
        : `${module.address}.module.${second}`,
    );
    const output = objectOf(objectOf(inner?.body.outputs)[third]);
    return followed(output.expression, { ...scope, module: inner }, depth);
  }
  if (['data', 'local', 'each', 'count', 'path', 'terraform', 'self'].includes(first)) return new Unknown();
  const prefix = module === undefined || module.address === '' ? '' : `${module.address}.`;
  const address = instanceOf(`${prefix}${first}.${second}`, scope);
  return address === undefined
    ? new Unknown()
    : new Reference(resourceKey(around.name, address), third === '' ? undefined : third);
}

function followed(expression: unknown, scope: Scope, depth: number): Value {
  const values = referencesOf(expression).map((one) => lookUp(one, scope, depth + 1));
  const [only, ...more] = values;
  return only !== undefined && more.length === 0 ? only : new Unknown(values);
}

/** Finds the instance of a resource that another one means: the only one, or the one with the same indexes. */
function instanceOf(declared: string, { around, from }: Scope): string | undefined {
  const instances = around.instances.get(declared) ?? [];
  if (instances.length <= 1) return instances[0];
  const indexes = (address: string): string => (address.match(/\[[^\]]*\]/g) ?? []).join();
  return instances.find((address) => indexes(address) === indexes(from));
}

function outputsOf(plan: Json, around: Around): readonly Output[] {
  const configured = objectOf(objectOf(objectOf(plan.configuration).root_module).outputs);
  const scope: Scope = { around, module: around.modules.get(''), from: '', isDeclared: true };
  return Object.entries(objectOf(plan.output_changes)).flatMap(([name, change]) => {
    const { after, after_unknown: unknown, after_sensitive: sensitive } = objectOf(change);
    const output = objectOf(configured[name]);
    if (actionsOf(objectOf(change)).includes('delete')) return [];
    return [
      {
        template: around.name,
        dialect: 'terraform',
        name,
        value: merged(after, unknown, sensitive, output.expression, scope),
        pointer: ['output_changes', name],
        exportName: undefined,
        sensitive: output.sensitive === true,
      } satisfies Output,
    ];
  });
}

const variablesOf = (template: string, root: Json): Template['parameters'] =>
  Object.entries(objectOf(root.variables)).map(([name, variable]) => {
    const { default: given, sensitive } = objectOf(variable);
    return {
      template,
      dialect: 'terraform',
      name,
      type: 'String',
      defaultValue: typeof given === 'string' || typeof given === 'number' ? given : undefined,
      isChoice: false,
      hidden: sensitive === true,
      pointer: ['configuration', 'root_module', 'variables', name],
    };
  });
