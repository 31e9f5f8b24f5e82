import type { Problem } from './problem.ts';
import type { LooseEnvironment } from './schema.ts';

/** One part of an ARN that must be the same as the environment's. */
type Part = 'account' | 'region' | 'partition';

/** Names the partition that a region is in. */
export function partitionOf(region: string): string {
  const apart: Readonly<Record<string, string>> = {
    cn: 'aws-cn',
    'us-gov': 'aws-us-gov',
    'us-iso': 'aws-iso',
    'us-isob': 'aws-iso-b',
    'us-isof': 'aws-iso-f',
    'eu-isoe': 'aws-iso-e',
    eusc: 'aws-eusc',
  };
  const prefix = /^(cn|us-gov|us-isob|us-isof|us-iso|eu-isoe|eusc)-/.exec(region)?.[1];
  return prefix === undefined ? 'aws' : (apart[prefix] ?? 'aws');
}

/**
 * Finds the account, region or partition of an ARN that differs from the environment's. Functions, schedules and alarms reach
 * only their own. Only what is known at synth is compared.
 */
function strangerIn(
  { account, region }: LooseEnvironment,
  arn: string,
  path: readonly PropertyKey[],
  parts: readonly Part[],
): Problem[] {
  const [, itsPartition = '', , itsRegion = '', itsAccount = ''] = arn.split(':');
  const partition = region === undefined ? undefined : partitionOf(region);
  if (partition !== undefined && parts.includes('partition') && itsPartition !== partition) {
    return [{ path, message: `must be in the environment's partition ${partition}, where ${region} is` }];
  }
  const problems: Problem[] = [];
  if (account !== undefined && parts.includes('account') && itsAccount !== '' && itsAccount !== account) {
    problems.push({ path, message: `must be in the environment's account ${account}` });
  }
  if (region !== undefined && parts.includes('region') && itsRegion !== '' && itsRegion !== region) {
    problems.push({ path, message: `must be in the environment's region ${region}` });
  }
  return problems;
}

const everywhere: readonly Part[] = ['partition', 'account', 'region'];

/** Finds ARNs of an environment that lead out of its account, region or partition, where nothing of it can follow. */
export function checkPlaces(environment: LooseEnvironment): Problem[] {
  const check = (
    arn: string | undefined,
    path: readonly PropertyKey[],
    parts: readonly Part[] = everywhere,
  ) => (arn?.startsWith('arn:') ? strangerIn(environment, arn, path, parts) : []);
  const { secrets, notifications, access, quarantine } = environment;
  return [
    // A topic's policy may let in alarms of other accounts.
    ...check(notifications.topicArn, ['notifications', 'topicArn'], ['partition', 'region']),
    ...Object.entries(access).flatMap(([role, principals]) =>
      [principals]
        .flat()
        .flatMap((arn, index) =>
          check(typeof arn === 'string' ? arn : undefined, ['access', role, index], ['partition']),
        ),
    ),
    ...quarantine.principals.flatMap((arn, index) => check(arn, ['quarantine', 'principals', index])),
    ...Object.entries(secrets).flatMap(([key, secret]) => {
      const path = ['secrets', key];
      const { adminSecret } = secret;
      return [
        ...check(secret.adopt, [...path, 'adopt']),
        // A key may be of another account, whose policy then lets this one use it.
        ...check(secret.encryptionKey, [...path, 'encryptionKey'], ['partition', 'region']),
        ...check(secret.rotationFunction, [...path, 'rotationFunction']),
        ...secret.resources.flatMap((arn, index) => check(arn, [...path, 'resources', index])),
        ...(adminSecret === undefined || 'secret' in adminSecret
          ? []
          : [
              ...check(adminSecret.adopt, [...path, 'adminSecret', 'adopt']),
              ...check(
                adminSecret.encryptionKey,
                [...path, 'adminSecret', 'encryptionKey'],
                ['partition', 'region'],
              ),
            ]),
      ];
    }),
  ];
}
