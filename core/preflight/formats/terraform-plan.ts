import { isTerraformPlan, readTerraformPlan } from '../../template/terraform.ts';
import { terraformName } from '../../template/terraform-types.ts';
import { worldOf } from '../../template/world.ts';
import { Collector } from '../collector.ts';
import { isObject, type Json, listOf, objectOf, textOf, valueIn } from '../document.ts';
import type { Place } from '../reference.ts';
import { collectResources } from '../resources.ts';
import { secretIdOf } from '../secret-id.ts';
import { type ManifestFinder, someDocument } from './finder.ts';

/** Types that read the value of a secret: as data sources, and as ephemeral resources. */
const readers = new Set(['aws_secretsmanager_secret_version']);

/**
 * Finds what a plan reads while it is made or applied, and resources that name a secret. Secrets that the plan makes itself are left to
 * the rules for templates.
 * @see https://developer.hashicorp.com/terraform/internals/json-format
 */
export const terraformPlan: ManifestFinder = {
  format: 'terraform-plan',
  title: 'Terraform and OpenTofu plans',
  recognizes: (file) => someDocument(file, isTerraformPlan),
  find: (file) => {
    const collector = new Collector('terraform-plan', file);
    for (const { value: plan } of file.documents) {
      if (!isTerraformPlan(plan)) continue;
      const template = readTerraformPlan(file.name, plan);
      const world = worldOf([template]);
      const wanted = template.resources.filter(
        ({ change }) => change?.actions.includes('delete') !== true || change.actions.includes('create'),
      );
      // A plan is one line, and says nothing of the files that it was made from.
      collectResources(collector, world, wanted, ({ id }, path) => ({
        file: file.name,
        pointer: [id, ...path.map(terraformName)].join('.'),
      }));
      collectReads(collector, file.name, plan);
    }
    return collector.reading;
  },
};

interface Read {
  readonly address: string;
  readonly values: Json;
  /** True if the plan leaves open which secret it is. */
  readonly open: boolean;
}

/** Collects data sources and ephemeral resources. Each is taken once, from where most is known of it. */
function collectReads(collector: Collector, file: string, plan: Json): void {
  const configured = new Map(configuredIn(valueIn(plan, 'configuration', 'root_module'), '', 0));
  const reads = new Map<string, Read>();
  for (const { address, values } of valuesIn(valueIn(plan, 'prior_state', 'values', 'root_module'), 0)) {
    reads.set(address, { address, values, open: false });
  }
  for (const change of listOf(plan.resource_changes)) {
    if (!isObject(change) || change.mode !== 'data' || !readers.has(String(change.type))) continue;
    const what = objectOf(change.change);
    const address = String(change.address);
    reads.set(address, {
      address,
      values: objectOf(what.after),
      open: objectOf(what.after_unknown).secret_id === true,
    });
  }
  const seen = new Set([...reads.keys()].map(withoutIndexes));
  for (const [address, expressions] of configured) {
    if (!address.includes('ephemeral.') || seen.has(address)) continue;
    const values = Object.fromEntries(
      Object.entries(expressions).map(([name, expression]) => [name, objectOf(expression).constant_value]),
    );
    reads.set(address, { address, values, open: values.secret_id === undefined });
  }
  for (const { address, values, open } of reads.values()) {
    const place: Place = { file, pointer: `${address}.secret_id` };
    const id = textOf(values.secret_id);
    const expressions = configured.get(withoutIndexes(address)) ?? {};
    if (open || id === undefined) {
      // The plan may make the secret itself, which a reference of the configuration tells.
      const references = listOf(objectOf(expressions.secret_id).references).map(String);
      if (references.some((one) => /^aws_secretsmanager_secret(?:_version)?\./.test(one))) continue;
      collector.take({ kind: 'open' }, place);
      continue;
    }
    const stage = textOf(values.version_stage);
    collector.take(secretIdOf(id), place, {
      // The provider fills both in where nobody asks for them.
      versionStage: stage === 'AWSCURRENT' ? undefined : stage,
      versionId: 'version_id' in expressions ? textOf(values.version_id) : undefined,
    });
  }
}

const deepest = 20;
const withoutIndexes = (address: string): string =>
  address.replaceAll(/\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]/g, '');

function valuesIn(
  module: unknown,
  depth: number,
): readonly { readonly address: string; readonly values: Json }[] {
  if (depth > deepest) return [];
  return [
    ...listOf(objectOf(module).resources).flatMap((one) =>
      isObject(one) && one.mode === 'data' && readers.has(String(one.type))
        ? [{ address: String(one.address), values: objectOf(one.values) }]
        : [],
    ),
    ...listOf(objectOf(module).child_modules).flatMap((one) => valuesIn(one, depth + 1)),
  ];
}

/** Lists the readers of the configuration by their addresses, with their expressions. */
function configuredIn(module: unknown, prefix: string, depth: number): readonly (readonly [string, Json])[] {
  if (depth > deepest) return [];
  return [
    ...listOf(objectOf(module).resources).flatMap((one) =>
      isObject(one) && one.mode !== 'managed' && readers.has(String(one.type))
        ? [[`${prefix}${String(one.address)}`, objectOf(one.expressions)] as const]
        : [],
    ),
    ...Object.entries(objectOf(objectOf(module).module_calls)).flatMap(([name, called]) =>
      configuredIn(objectOf(called).module, `${prefix}module.${name}.`, depth + 1),
    ),
  ];
}
