import { expect, test } from '@jest/globals';
import { checkTemplates, type TemplateCheck } from '../../../core/template/check.ts';
import { readTemplate } from '../../../core/template/read.ts';
import type { TemplateRule } from '../../../core/template/rule.ts';
import type { Template } from '../../../core/template/template.ts';

type Json = Readonly<Record<string, unknown>>;

/** Reads a CloudFormation template with these resources; further sections may be given. */
export function stack(resources: Json, sections: Json = {}, name = 'stack.json'): Template {
  const read = readTemplate(name, { Resources: resources, ...sections });
  if (read === undefined) throw new Error('no template');
  return read;
}

/** Makes a resource of a template. */
export const resource = (Type: string, Properties: Json = {}): Json => ({ Type, Properties });

/** A resource of a plan, and what its configuration refers to. */
export interface Planned {
  readonly type: string;
  readonly name: string;
  readonly after?: Json | null;
  readonly before?: Json | null;
  readonly unknown?: Json;
  readonly sensitive?: Json;
  readonly actions?: readonly string[];
  /** Attribute to the names that its expression refers to. */
  readonly refers?: Readonly<Record<string, readonly string[]>>;
}

/** Reads a plan of these resources, in the form that `terraform show -json` of Terraform 1.11 prints. */
export function plan(resources: readonly Planned[], sections: Json = {}, root: Json = {}): Template {
  const read = readTemplate('plan.json', {
    format_version: '1.2',
    terraform_version: '1.11.4',
    resource_changes: resources.map(
      ({ type, name, after = {}, before = null, unknown = {}, sensitive = {}, actions = ['create'] }) => ({
        address: `${type}.${name}`,
        mode: 'managed',
        type,
        name,
        provider_name: 'registry.terraform.io/hashicorp/aws',
        change: {
          actions,
          before,
          after,
          after_unknown: unknown,
          before_sensitive: false,
          after_sensitive: sensitive,
        },
      }),
    ),
    configuration: {
      root_module: {
        resources: resources.map(({ type, name, refers = {} }) => ({
          address: `${type}.${name}`,
          mode: 'managed',
          type,
          name,
          expressions: Object.fromEntries(
            Object.entries(refers).map(([attribute, references]) => [attribute, { references }]),
          ),
        })),
        ...root,
      },
    },
    ...sections,
  });
  if (read === undefined) throw new Error('no plan');
  return read;
}

type Options = Pick<TemplateCheck, 'deployed' | 'settings' | 'waivers'>;

/** Lists what a rule says of templates, each as `<subject>: <message>`. */
function faultsOf(
  rule: TemplateRule,
  templates: Template | readonly Template[],
  options: Options = {},
): readonly string[] {
  return checkTemplates({
    templates: [templates].flat(),
    rules: [rule],
    today: '2026-11-28',
    ...options,
  }).violations.map(({ subject, message }) => `${subject}: ${message}`);
}

/** Tests that a rule finds these places, each by its subject and a part of the message. */
export function breaks(
  rule: TemplateRule,
  title: string,
  templates: Template | readonly Template[],
  faults: readonly (readonly [subject: string, message: RegExp])[],
  options?: Options,
): void {
  test(`finds ${title}`, () => {
    expect(faultsOf(rule, templates, options)).toEqual(
      faults.map(([subject, message]) =>
        expect.stringMatching(
          new RegExp(`^${subject.replaceAll(/[.*+?^$()[\]{}|\\]/g, '\\$&')}: .*${message.source}`),
        ),
      ),
    );
  });
}

/** Tests that a rule has nothing to say. */
export function holds(
  rule: TemplateRule,
  title: string,
  templates: Template | readonly Template[],
  options?: Options,
): void {
  test(`is silent on ${title}`, () => {
    expect(faultsOf(rule, templates, options)).toEqual([]);
  });
}

/** A statement that allows something, as a policy document. */
export const allowing = (Action: unknown, Resource: unknown, more: Json = {}): Json => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource, ...more }],
});

/** A role with one inline policy. */
export const roleWith = (PolicyDocument: Json, more: Json = {}): Json =>
  resource('AWS::IAM::Role', { Policies: [{ PolicyName: 'own', PolicyDocument }], ...more });

/** Reference to a resource by its logical id. */
export const ref = (Ref: string): Json => ({ Ref });
/** Attribute of a resource. */
export const attribute = (id: string, name: string): Json => ({ 'Fn::GetAtt': [id, name] });
/** A secret with nothing but its type. */
export const secret = (properties: Json = {}): Json => resource('AWS::SecretsManager::Secret', properties);
/** Dynamic reference to a key of a secret's JSON, as the CDK writes it. */
export const resolved = (id: string, key = 'password'): Json => ({
  'Fn::Join': ['', ['{{resolve:secretsmanager:', ref(id), `:SecretString:${key}::}}`]],
});
