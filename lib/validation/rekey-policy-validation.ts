import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  CfnElement,
  type IPolicyValidationContextBeta1,
  type IPolicyValidationPlugin,
  type IPolicyValidationPluginBeta1,
  type PolicyValidationPluginReportBeta1,
  type PolicyViolatingResource,
  type PolicyViolationBeta1,
  Stack,
} from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { checkTemplates } from '../../core/template/check.ts';
import { readTemplate } from '../../core/template/read.ts';
import type { TemplateViolation } from '../../core/template/rule.ts';
import { templateRules } from '../../core/template/rules/index.ts';
import { type Template, withPaths } from '../../core/template/template.ts';

/** Limits of {@link RekeyPolicyValidation}. */
export interface RekeyPolicyValidationProps {
  /**
   * Longest time between two rotations, in days.
   * @default 90
   */
  readonly maximumRotationDays?: number;
  /**
   * Names of environments, as tags and the first segment of secrets' names give them.
   * @default - dev, test, staging, prod and other usual ones
   */
  readonly environments?: readonly string[];
}

/**
 * A policy validation that holds the templates of a CDK app to Rekey's rules for secrets. The app need not use Rekey otherwise.
 * `cdk synth` and `cdk validate` fail on a rule of severity error, and show warnings.
 *
 * A rule is waived by an acknowledgement on the construct, or on one above it, with the id `Rekey::<rule>`; the report keeps it
 * with its reason.
 *
 * @example
 * const app = new App();
 * Validations.of(app).addPlugins(new RekeyPolicyValidation());
 * Validations.of(app).acknowledge({
 *   id: 'Rekey::SecretWithoutCustomerKey',
 *   reason: 'The key of AWS is enough for this account.',
 * });
 * @see https://docs.aws.amazon.com/cdk/v2/guide/policy-validation-synthesis.html
 */
export class RekeyPolicyValidation implements IPolicyValidationPlugin, IPolicyValidationPluginBeta1 {
  /** Name in reports, and the part of an acknowledgement's id before the colons. */
  readonly name: string = 'Rekey';
  readonly ruleIds: string[] = templateRules.map(({ description }) => description.id);
  readonly #settings: RekeyPolicyValidationProps;

  constructor(props: RekeyPolicyValidationProps = {}) {
    this.#settings = props;
  }

  /** Checks the templates that a synth has written. The CDK calls it. */
  validate({
    templatePaths,
    appConstruct,
  }: IPolicyValidationContextBeta1): PolicyValidationPluginReportBeta1 {
    const { maximumRotationDays, environments } = this.#settings;
    const pathOf = pathsOfElements(appConstruct);
    const { violations, waived } = checkTemplates({
      templates: withNestedStacks(templatePaths, appConstruct)
        .flatMap(templatesOf)
        .map((one) => withPaths(one, (id) => pathOf(one.name, id))),
      today: new Date().toISOString().slice(0, 10),
      settings: {
        ...(maximumRotationDays !== undefined && { maximumRotationDays }),
        ...(environments !== undefined && { environments }),
      },
    });
    return {
      success: violations.every(({ severity }) => severity !== 'error'),
      violations: violations.map(asReported),
      ...(waived.length > 0 && {
        metadata: Object.fromEntries(
          waived.map(({ rule, subject, waiver }) => [`waived ${rule} of ${subject}`, waiver.reason]),
        ),
      }),
    };
  }
}

/** Adds the templates of nested stacks, which are assets in the eyes of the CDK. They lie beside those of their parents. */
function withNestedStacks(paths: readonly string[], app: IConstruct): readonly string[] {
  const folders = new Map(paths.map((path) => [basename(path), dirname(path)]));
  const nested = app.node.findAll().flatMap((one) => {
    if (!Stack.isStack(one) || !one.nested) return [];
    let parent: Stack = one;
    while (parent.nestedStackParent !== undefined) parent = parent.nestedStackParent;
    const folder = folders.get(parent.templateFile);
    return folder === undefined ? [] : [join(folder, one.templateFile)];
  });
  return [...paths, ...nested.filter((path) => existsSync(path))];
}

/** Reads a stack's template, and what its assets say of container images. */
function templatesOf(path: string): readonly Template[] {
  const assets = path.replace(/\.template\.json$/, '.assets.json');
  const files = assets !== path && existsSync(assets) ? [path, assets] : [path];
  return files.flatMap((file) => readTemplate(file, JSON.parse(readFileSync(file, 'utf8'))) ?? []);
}

/** Finds the constructs of resources, outputs and parameters, whose paths the templates may lack. */
function pathsOfElements(app: IConstruct): (template: string, id: string) => string | undefined {
  const paths = new Map(
    app.node.findAll().flatMap((one) => {
      if (!CfnElement.isCfnElement(one)) return [];
      const { stack, logicalId, node } = one;
      return [[`${stack.templateFile} ${stack.resolve(logicalId)}`, node.path] as const];
    }),
  );
  return (template, id) => paths.get(`${basename(template)} ${id}`);
}

/** Writes a violation as the CDK reports it: each place for itself, since the message names it. */
function asReported({
  rule,
  severity,
  subject,
  message,
  fix,
  place,
}: TemplateViolation): PolicyViolationBeta1 {
  const controls = templateRules.find(({ description }) => description.id === rule)?.description.controls;
  const [section] = place.pointer;
  // The CDK finds the constructs of resources itself.
  const isElement = section === 'Outputs' || section === 'Parameters';
  const resource: PolicyViolatingResource & PolicyViolationBeta1['violatingResources'][number] = {
    resourceLogicalId: place.id,
    templatePath: place.template,
    locations: [(isElement ? place.pointer : ['Properties', ...place.property]).join('.')],
    ...(isElement && subject !== place.id && { constructPath: subject }),
  };
  return {
    ruleName: rule,
    description: `${subject}: ${message}`,
    fix,
    severity,
    ruleMetadata: { controls: (controls ?? []).join(', ') },
    violatingResources: [resource],
  };
}
