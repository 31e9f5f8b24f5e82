import { changedUnderControl } from '../controls.ts';
import { inDialect, named, type TemplateRule } from '../rule.ts';
import { nameOfSecret, rotationsOf, secretOf, secretType } from '../secrets.ts';
import { isAbsent, revealed, type Value } from '../value.ts';

/**
 * Finds changes that put another value over the one in use. CloudFormation makes a new version when `SecretString` or
 * `GenerateSecretString` differs from the deployed template; Terraform when it tracks a version that is no longer there.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
 */
export const liveValueOverwritten: TemplateRule<'LiveValueOverwritten'> = {
  description: {
    id: 'LiveValueOverwritten',
    severity: 'error',
    demand: 'No deployment changes the value of a secret that exists.',
    reason: 'The target goes on accepting the credential that is lost, and no consumer has it any more.',
    controls: [...changedUnderControl, 'PCI DSS 4.0.1 8.6.3'],
  },
  *check(world) {
    for (const secret of world.ofType(secretType)) {
      const before = world.deployed.get(secret.template)?.resources.find(({ id }) => id === secret.id);
      if (before === undefined) continue;
      for (const property of ['SecretString', 'GenerateSecretString']) {
        const [was, is] = [before.properties[property], secret.properties[property]];
        // What is taken away leaves the value as it is.
        if (isAbsent(is) || same(was, is)) continue;
        yield {
          on: secret,
          property: [property],
          message: `${named(secret, property)} of secret ${nameOfSecret(secret)} differs from what is deployed, so the deploy replaces the value in use`,
          fix: `put ${named(secret, property)} back as it is deployed, and change the value by a rotation`,
        };
      }
    }
    const rotated = new Set(rotationsOf(world).map(({ secret }) => secret));
    for (const version of world.ofType('Rekey::SecretsManager::SecretVersion')) {
      const { change, properties, id } = version;
      const secret = secretOf(world, properties.SecretId);
      if (change === undefined) continue;
      const gone = world.templates.some(
        ({ name, drift }) =>
          name === version.template &&
          drift.some(({ address, actions }) => address === id && actions.includes('delete')),
      );
      const exists = secret?.change?.before !== undefined && !secret.change.actions.includes('create');
      const created =
        change.actions.includes('create') &&
        (gone || (exists && secret !== undefined && rotated.has(secret)));
      const updated =
        change.before !== undefined &&
        change.actions.some((action) => action === 'update' || action === 'create') &&
        ['SecretString', 'SecretBinary', 'WriteOnlyVersion'].some(
          (name) => !same(change.before?.[name], properties[name]) && !isAbsent(properties[name]),
        );
      if (!created && !updated) continue;
      yield {
        on: version,
        message: `the apply puts another value over the one in use of ${secret === undefined ? 'its secret' : `secret ${nameOfSecret(secret)}`}${gone ? ': two rotations have removed the version that Terraform tracks, and it makes that one again' : ''}`,
        fix: inDialect(version, {
          cloudformation: 'leave the value to the rotation',
          terraform:
            'terraform state rm the version, and take the resource out of the configuration: the rotation has the value now; see docs/terraform.md',
        }),
      };
    }
  },
};

/** Compares two values by what they are made of. */
const same = (one: Value | undefined, other: Value | undefined): boolean =>
  JSON.stringify(revealed(one) ?? null) === JSON.stringify(revealed(other) ?? null);
