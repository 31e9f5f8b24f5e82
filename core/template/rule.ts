import type { RuleDescription, Severity, Violation } from '../policy/rule.ts';
import type { Output, Resource, TemplateParameter } from './template.ts';
import { terraformName } from './terraform-types.ts';
import type { World } from './world.ts';

/** Limits and names that rules go by. */
export interface TemplateSettings {
  /** Longest time between two rotations, in days. */
  readonly maximumRotationDays: number;
  /** Names of environments, as tags and the first segment of secrets' names give them. */
  readonly environments: readonly string[];
}

/** Limits and names where nothing else is said. 90 days is what PCI DSS 8.3.9 and Security Hub's SecretsManager.1 go by. */
export const usualSettings: TemplateSettings = {
  maximumRotationDays: 90,
  environments: [
    'dev',
    'development',
    'test',
    'testing',
    'qa',
    'uat',
    'int',
    'integration',
    'sandbox',
    'stage',
    'staging',
    'preprod',
    'prod',
    'production',
    'live',
  ],
};

/** The place in a file: the template's name, and the way to the value from the root of the document. */
export interface Place {
  readonly template: string;
  /** Logical id or address of the resource, output or parameter. */
  readonly id: string;
  readonly pointer: readonly string[];
  /** Way to the value within the resource, under CloudFormation's names. */
  readonly property: readonly string[];
}

/** A place where a template breaks a rule. */
export interface TemplateViolation extends Violation {
  readonly place: Place;
}

/** A remark of a rule on one place; the rest follows from the rule and the place. */
export interface Fault {
  readonly on: Resource | Output | TemplateParameter;
  /** Way to the value within the resource, under CloudFormation's names. @default - the resource as a whole */
  readonly property?: readonly string[];
  readonly message: string;
  readonly fix: string;
}

/** A rule for templates: what it asks for, and how its violations are found. */
export interface TemplateRule<Id extends string = string> {
  readonly description: RuleDescription<Id>;
  readonly check: (world: World, settings: TemplateSettings) => Iterable<Fault>;
}

const isResource = (on: Fault['on']): on is Resource => 'key' in on;

/** Gives the name by which a reader finds a thing: a path, an address, or an output's name. */
const subjectOf = (on: Fault['on']): string => (isResource(on) ? on.path : (on.path ?? on.name));

/** Makes a violation of what a rule says. */
export function violationOf(
  { id, severity }: { readonly id: string; readonly severity: Severity },
  { on, property = [], message, fix }: Fault,
): TemplateViolation {
  return {
    rule: id,
    severity,
    subject: subjectOf(on),
    message,
    fix,
    place: {
      template: on.template,
      id: isResource(on) ? on.id : on.name,
      // A plan has Terraform's names, so its places are known down to the resource.
      pointer: on.dialect === 'terraform' ? on.pointer : [...on.pointer, ...property],
      property,
    },
  };
}

/** Writes a property as the language of its template names it: `KmsKeyId`, `kms_key_id`. */
export const named = (on: { readonly dialect: Resource['dialect'] }, property: string): string =>
  on.dialect === 'terraform' ? terraformName(property) : property;

/** Chooses between sentences for CloudFormation and for Terraform. */
export const inDialect = <T>(
  on: { readonly dialect: Resource['dialect'] },
  choices: Readonly<Record<Resource['dialect'], T>>,
): T => choices[on.dialect];
