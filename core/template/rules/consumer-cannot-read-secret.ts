import { decide } from '../../iam/evaluate.ts';
import { arnOfKey, arnOfRole, arnOfSecret, ownAccount, ownRegion } from '../concrete.ts';
import { knownPolicy, policiesOfRole } from '../policies.ts';
import type { TemplateRule } from '../rule.ts';
import { nameOfSecret, secretOf } from '../secrets.ts';
import type { Resource } from '../template.ts';
import { ingredientsOf, isAbsent, itemsOf, mapOf, StoredSecret, type Value, valueAt } from '../value.ts';
import type { World } from '../world.ts';

/** Finds consumers that are told of a secret and may not read it. It speaks where the templates show the whole role. */
export const consumerCannotReadSecret: TemplateRule<'ConsumerCannotReadSecret'> = {
  description: {
    id: 'ConsumerCannotReadSecret',
    severity: 'error',
    demand:
      'The role of a consumer may read each secret that the consumer is given, and may use the key of it.',
    reason: 'The task does not start, or fails when it first needs the secret.',
    controls: ['SOC 2 CC8.1', 'ISO 27001:2022 A.5.15', 'NIST 800-53 r5 AC-3'],
  },
  *check(world) {
    for (const { consumer, property, role, secret, how } of consumptionsOf(world)) {
      const denied = deniedTo(world, role, secret);
      if (denied === undefined) continue;
      yield {
        on: consumer,
        property,
        message: `${how} ${nameOfSecret(secret)}, and ${role.path} is not allowed ${denied}`,
        fix: `allow it to the role for this ${denied === 'kms:Decrypt' ? 'key' : 'secret'}; secret.grantRead(role) of the CDK allows both`,
      };
    }
  },
};

interface Consumption {
  readonly consumer: Resource;
  readonly property: readonly string[];
  readonly role: Resource;
  readonly secret: Resource;
  /** Beginning of the message, up to the secret's name. */
  readonly how: string;
}

function consumptionsOf(world: World): readonly Consumption[] {
  const roleOf = (value: Value | undefined): Resource | undefined => {
    const role = world.target(value, 'AWS::IAM::Role');
    return role?.type === 'AWS::IAM::Role' ? role : undefined;
  };
  const ofTasks = world.ofType('AWS::ECS::TaskDefinition').flatMap((consumer) => {
    const role = roleOf(consumer.properties.ExecutionRoleArn);
    if (role === undefined) return [];
    return itemsOf(consumer.properties.ContainerDefinitions).flatMap((definition, container) =>
      itemsOf(mapOf(definition).Secrets).flatMap((one, index) => {
        const secret = secretIn(world, mapOf(one).ValueFrom);
        const property = ['ContainerDefinitions', String(container), 'Secrets', String(index), 'ValueFrom'];
        return secret === undefined
          ? []
          : [{ consumer, property, role, secret, how: 'a container gets its value from secret' }];
      }),
    );
  });
  const ofFunctions = world.ofType('AWS::Lambda::Function').flatMap((consumer) => {
    const role = roleOf(consumer.properties.Role);
    if (role === undefined) return [];
    const variables = mapOf(valueAt(consumer.properties, 'Environment', 'Variables'));
    return Object.entries(variables).flatMap(([name, value]) => {
      const secret = secretIn(world, value);
      const property = ['Environment', 'Variables', name];
      return secret === undefined
        ? []
        : [{ consumer, property, role, secret, how: `variable ${name} gives the function secret` }];
    });
  });
  return [...ofTasks, ...ofFunctions];
}

/** Finds the secret whose ARN a value is, or begins with. A value that the deploy resolves needs no permission of the consumer. */
function secretIn(world: World, value: Value | undefined): Resource | undefined {
  const parts = ingredientsOf(value);
  if (parts.some((part) => part instanceof StoredSecret)) return undefined;
  return parts.map((part) => secretOf(world, part)).find((one) => one !== undefined);
}

/** Names the action that a role lacks. It gives undefined where templates leave that open. */
function deniedTo(world: World, role: Resource, secret: Resource): string | undefined {
  const { policies: identity, complete } = policiesOfRole(world, role);
  if (!complete) return undefined;
  const arn = arnOfRole(role);
  const principal = {
    kind: 'role',
    arn,
    sessionArn: `${arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/session`,
  } as const;
  const resourceAccount = arn.split(':')[4] ?? ownAccount;
  const own = resourcePolicyOf(world, secret);
  if (own === 'unclear') return undefined;
  const reading = decide(
    { principal, action: 'secretsmanager:GetSecretValue', resource: arnOfSecret(secret), resourceAccount },
    { identity, ...(own !== undefined && { resource: own.policy }) },
  );
  if (reading.outcome !== 'allowed') {
    return tagged(identity) ? undefined : 'secretsmanager:GetSecretValue';
  }
  const key = world.target(secret.properties.KmsKeyId, 'AWS::KMS::Key');
  if (key?.type !== 'AWS::KMS::Key' || isAbsent(secret.properties.KmsKeyId)) return undefined;
  const keyPolicy = knownPolicy(world, key.properties.KeyPolicy);
  if (keyPolicy === undefined || !keyPolicy.certain) return undefined;
  const using = decide(
    {
      principal,
      action: 'kms:Decrypt',
      resource: arnOfKey(key),
      resourceAccount,
      context: {
        'kms:ViaService': `secretsmanager.${ownRegion}.amazonaws.com`,
        'kms:CallerAccount': resourceAccount,
        'kms:EncryptionContext:SecretARN': arnOfSecret(secret),
      },
    },
    { identity, resource: keyPolicy.policy },
  );
  return using.outcome === 'allowed' ? undefined : 'kms:Decrypt';
}

/** Tells whether policies go by tags of the resource, which the template may set by other means. */
const tagged = (policies: readonly unknown[]): boolean => /ResourceTag\//.test(JSON.stringify(policies));

function resourcePolicyOf(world: World, secret: Resource): ReturnType<typeof knownPolicy> | 'unclear' {
  const documents = world
    .ofType('AWS::SecretsManager::ResourcePolicy')
    .filter(({ properties }) => secretOf(world, properties.SecretId) === secret)
    .map(({ properties }) => properties.ResourcePolicy);
  const [document = secret.properties.ResourcePolicy] = documents;
  if (document === undefined) return undefined;
  const known = knownPolicy(world, document);
  return known === undefined || !known.certain ? 'unclear' : known;
}
