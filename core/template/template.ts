import type { Value, ValueMap } from './value.ts';

/** Language that a template is written in. */
export type Dialect = 'cloudformation' | 'terraform';

/** A stack's template or a Terraform plan in the form that rules read. */
export interface Template {
  /** Name of the file, or whatever tells this template from others. */
  readonly name: string;
  readonly dialect: Dialect;
  readonly resources: readonly Resource[];
  readonly outputs: readonly Output[];
  readonly parameters: readonly TemplateParameter[];
  /** Resources that Terraform found changed by others than itself, by their addresses. */
  readonly drift: readonly Drift[];
}

/** A resource under CloudFormation's names, also where it stands in a Terraform plan. */
export interface Resource {
  /** Key that tells it from the resources of all templates; see {@link resourceKey}. */
  readonly key: string;
  readonly template: string;
  readonly dialect: Dialect;
  /** Logical id, or address in the plan. */
  readonly id: string;
  /** Name that a reader looks for: the construct's path, the address, or the logical id. */
  readonly path: string;
  /** CloudFormation's type, such as `AWS::SecretsManager::Secret`. */
  readonly type: string;
  /** Properties under CloudFormation's names. */
  readonly properties: ValueMap;
  /** Way from the root of the file to the properties. */
  readonly pointer: readonly string[];
  /** True if a deploy keeps the resource when it leaves the template. */
  readonly retained: boolean;
  /** True if what the CDK adds for its own work made it. */
  readonly ownedByCdk: boolean;
  readonly waivers: readonly Waiver[];
  /** Change that a plan announces. @default - unknown */
  readonly change?: Change;
}

/** A change of a resource in a Terraform plan. */
export interface Change {
  readonly actions: readonly string[];
  /** Properties as they are now, under CloudFormation's names; undefined for one that is created. */
  readonly before: ValueMap | undefined;
}

/** A resource that was changed outside of Terraform. */
export interface Drift {
  readonly address: string;
  readonly actions: readonly string[];
}

/** An output of a stack or of a root module. */
export interface Output {
  readonly template: string;
  readonly dialect: Dialect;
  readonly name: string;
  /** Path of its construct. @default - unknown, and the name stands for it */
  readonly path?: string;
  readonly value: Value;
  readonly pointer: readonly string[];
  /** Name under which other stacks import it. */
  readonly exportName: Value | undefined;
  /** True if Terraform hides it from the terminal. */
  readonly sensitive: boolean;
}

/** A parameter of a stack, or an input variable of a root module. */
export interface TemplateParameter {
  readonly template: string;
  readonly dialect: Dialect;
  readonly name: string;
  /** Path of its construct. @default - unknown, and the name stands for it */
  readonly path?: string;
  readonly type: string;
  readonly defaultValue: Value | undefined;
  /** True if its values are listed, as those of a choice are. */
  readonly isChoice: boolean;
  /** True if its value is hidden: `NoEcho`, or `sensitive`. */
  readonly hidden: boolean;
  readonly pointer: readonly string[];
}

/** An exemption of a resource from a rule, with its reason. */
export interface Waiver {
  readonly rule: string;
  readonly reason: string;
  /** Last day on which it holds, as `YYYY-MM-DD`. @default - it holds without end */
  readonly until?: string;
}

/** Makes the key of a resource, which holds across templates. */
export const resourceKey = (template: string, id: string): string => `${template}\u0000${id}`;

/**
 * Gives resources, outputs and parameters the paths of their constructs. Those of outputs stand in no template, and those of
 * resources in none that was made without metadata.
 */
export function withPaths(template: Template, pathOf: (id: string) => string | undefined): Template {
  const placed = <T extends object>(one: T, id: string): T => {
    const path = pathOf(id);
    return path === undefined ? one : { ...one, path: pathOfConstruct(path) };
  };
  return {
    ...template,
    resources: template.resources.map((one) => placed(one, one.id)),
    outputs: template.outputs.map((one) => placed(one, one.name)),
    parameters: template.parameters.map((one) => placed(one, one.name)),
  };
}

/** Leaves out the last segment of a path, which names the plain resource inside of a construct. */
export const pathOfConstruct = (path: string): string => path.replace(/\/(?:Resource|Default)$/, '');
