import type { Output, Resource, Template, TemplateParameter } from './template.ts';
import {
  Imported,
  isOpen,
  literalText,
  nameOfStackOutput,
  Reference,
  revealed,
  type Value,
} from './value.ts';

/** The templates that are looked at together, with what leads from one to another. */
export interface World {
  readonly templates: readonly Template[];
  /** Templates as they are deployed, by the name of the one that follows; empty without a comparison. */
  readonly deployed: ReadonlyMap<string, Template>;
  readonly resources: readonly Resource[];
  readonly byKey: ReadonlyMap<string, Resource>;
  readonly ofType: (...types: readonly string[]) => readonly Resource[];
  /** Follows exports of other templates, as far as these are here. */
  readonly resolve: (value: Value | undefined) => Value | undefined;
  /** Finds the resource that a value refers to, by a reference or by its known ARN or name. */
  readonly target: (value: Value | undefined, type?: string) => Resource | undefined;
  readonly parameter: (template: string, name: string) => TemplateParameter | undefined;
}

/** Puts templates together to a world. */
export function worldOf(
  templates: readonly Template[],
  deployed: ReadonlyMap<string, Template> = new Map(),
): World {
  const resources = templates.flatMap((one) => one.resources);
  const byKey = new Map(resources.map((one) => [one.key, one]));
  const byType = Map.groupBy(resources, ({ type }) => type);
  const exported = new Map<string, Output>();
  const outputs = templates.flatMap((one) => one.outputs);
  for (const output of outputs) {
    const name = nameOfExport(output.exportName);
    if (name !== undefined) exported.set(name, output);
  }
  // No template says the name of its stack, so an output is taken where one stack alone has it.
  for (const [name, [only, ...more]] of Map.groupBy(outputs, (one) => one.name)) {
    if (only !== undefined && more.length === 0) exported.set(nameOfStackOutput(name), only);
  }
  const resolve = (value: Value | undefined): Value | undefined => {
    const inner = revealed(value);
    if (!(inner instanceof Imported)) return inner;
    const name = nameOfExport(inner.name);
    return (name === undefined ? undefined : exported.get(name)?.value) ?? inner;
  };
  const parameters = new Map(
    templates.flatMap((one) =>
      one.parameters.map((each) => [`${one.name}\u0000${each.name}`, each] as const),
    ),
  );
  const ofType = (...types: readonly string[]): readonly Resource[] =>
    types.flatMap((type) => byType.get(type) ?? []);
  return {
    templates,
    deployed,
    resources,
    byKey,
    ofType,
    resolve,
    target: (value, type) => {
      const to = resolve(value);
      if (to instanceof Reference) return byKey.get(to.target);
      const text = literalText(to);
      if (text === undefined || type === undefined) return undefined;
      const named = ofType(type).filter(({ properties, id }) =>
        [properties.Arn, properties.Name, properties.RoleName, properties.UserName].some(
          (known) => literalText(known) === text || id === text,
        ),
      );
      return named.length === 1 ? named[0] : undefined;
    },
    parameter: (template, name) => parameters.get(`${template}\u0000${name}`),
  };
}

/** Writes the name of an export as a key. One that holds a stack's name by a pseudo parameter has none. */
function nameOfExport(name: Value | undefined): string | undefined {
  return isOpen(name) ? undefined : literalText(name);
}
