import type { Lead, SecretDefinition } from '../../../core/secret/definition.ts';

export const arnOf = (name: string): string =>
  `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;

/** Makes the definition of a secret of a PostgreSQL server. */
export const definition = (
  name: string,
  change: Partial<SecretDefinition> & {
    readonly admin?: string;
    readonly host?: string;
    readonly leads?: readonly Lead[];
  } = {},
): SecretDefinition => {
  const { admin, host = 'db-1', leads, ...rest } = change;
  return {
    name,
    arn: arnOf(name),
    type: 'postgresql',
    strategy: 'single-user',
    owner: 'team-orders',
    consumers: [],
    schedule: 'rate(30 days)',
    rotationFunction: 'rotation',
    containmentFunction: 'containment',
    content: {
      fields: { username: name, host, port: 5432 },
      ...(admin !== undefined && { masterarn: arnOf(admin) }),
    },
    ...(leads !== undefined && { leadsTo: [...leads] }),
    ...rest,
  };
};
