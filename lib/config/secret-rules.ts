import type { AwsAccess, SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { isRotated, registry } from '../../rotators/registry.ts';
import { checkFields } from './fields.ts';
import type { Problem } from './problem.ts';
import type { LooseSecret } from './schema.ts';

/** The part of a secret's configuration that decides by itself whether the secret can work. */
export type SecretAlone = Pick<
  LooseSecret,
  | 'type'
  | 'strategy'
  | 'create'
  | 'adopt'
  | 'adminSecret'
  | 'identity'
  | 'resources'
  | 'rotateOnDeploy'
  | 'rotationFunction'
>;

/** Checks what a secret must fit whatever else is configured. Constructs hold to the same. */
export function checkAlone(secret: SecretAlone): Problem[] {
  const problems: Problem[] = [];
  const entry: SecretTypeDescriptor = registry[secret.type];
  // Also where the value of an adopted secret has a masterarn: without this the function may not read that secret.
  if (entry.needsAdmin.includes(secret.strategy) && !secret.adminSecret) {
    problems.push({
      path: ['adminSecret'],
      message: `${secret.type} with ${secret.strategy} needs an admin secret, which makes the change at the target`,
    });
  }
  problems.push(
    ...checkResources(secret, entry.aws),
    ...checkRotationFunction(secret),
    ...checkManaged(secret),
    ...checkFields(secret),
  );
  for (const field of entry.credential ?? []) {
    if (Object.hasOwn(secret.create?.fields ?? {}, field)) {
      problems.push({
        path: ['create', 'fields', field],
        message:
          'is of the credential, which the first rotation makes, and would stand in the template; leave it out',
      });
    }
  }
  const actsForNamed = entry.usersByAdmin && secret.adminSecret !== undefined;
  if (secret.identity !== undefined && !actsForNamed && !entry.triedAtHost) {
    problems.push({
      path: ['identity'],
      message: entry.usersByAdmin
        ? 'says for whom an admin may act, and there is no adminSecret; name one, or leave it out'
        : `${secret.type}: no admin acts for a user whom its secrets name; leave it out`,
    });
  }
  if (
    entry.needsHost?.includes(secret.strategy) &&
    secret.create &&
    !Object.hasOwn(secret.create.fields, 'host')
  ) {
    problems.push({
      path: ['create', 'fields', 'host'],
      message: `${secret.type} with ${secret.strategy} needs one: a password that cannot be tried anywhere is not kept beside the next`,
    });
  }
  if (entry.created === undefined && !entry.foreignFunction && secret.create !== undefined) {
    problems.push({
      path: ['create'],
      message: `${secret.type}: store a secret with a credential that works first, and adopt it`,
    });
  }
  return problems;
}

function checkResources({ type, resources }: SecretAlone, aws: AwsAccess | undefined): Problem[] {
  if (aws === undefined) {
    return resources.length === 0
      ? []
      : [{ path: ['resources'], message: `${type} is not reached through an AWS API; leave it out` }];
  }
  if (resources.length === 0) {
    return [
      { path: ['resources'], message: `must name what the functions may change: ${aws.resources.example}` },
    ];
  }
  return resources.flatMap((arn, index) =>
    aws.resources.pattern.test(arn)
      ? []
      : [{ path: ['resources', index], message: `must be an ARN such as ${aws.resources.example}` }],
  );
}

function checkRotationFunction({ type, rotationFunction, create }: SecretAlone): Problem[] {
  const path = ['rotationFunction'];
  if (isRotated(type)) {
    return rotationFunction === undefined
      ? []
      : [
          {
            path,
            message: `${type} is rotated by a function of Rekey's own; leave it out, or choose external`,
          },
        ];
  }
  if (rotationFunction === undefined) {
    return [{ path, message: `${type} needs the ARN of the function that rotates the secret` }];
  }
  // Its role would need the environment's key, which is not there before the first rotation.
  return create === undefined
    ? []
    : [
        {
          path: ['create'],
          message: `${type}: store the secret first, under a key that its function may use, and adopt it`,
        },
      ];
}

/**
 * Refuses a secret that a service manages, since that service alone rotates it. Its name begins with the service's name and an
 * exclamation mark.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/service-linked-secrets.html
 */
function checkManaged({ adopt }: SecretAlone): Problem[] {
  const service = /^([a-z-]+)!/.exec(secretName('', { adopt }))?.[1];
  return service === undefined
    ? []
    : [
        {
          path: ['adopt'],
          message: `is managed by ${service}, which alone may rotate it: leave its rotation to ${service} and name it as an adminSecret, or turn that management off and adopt a secret of your own`,
        },
      ];
}

/** Gives the secret's name in Secrets Manager; from an ARN, what stands before the random suffix. */
export function secretName(
  environment: string,
  secret: { readonly create?: { readonly name: string } | undefined; readonly adopt?: string | undefined },
): string {
  if (secret.create !== undefined) {
    return `/${environment}/${secret.create.name}`;
  }
  const id = secret.adopt ?? '';
  return id.startsWith('arn:')
    ? id
        .split(':')
        .slice(6)
        .join(':')
        .replace(/-[A-Za-z0-9]{6}$/, '')
    : id;
}
