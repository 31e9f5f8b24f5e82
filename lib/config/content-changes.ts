import type { RotatedType } from '../../rotators/registry.ts';

/** What the next rotation does with a field of a created secret that the configuration changes. */
export const contentEffects = {
  written: 'is written into the JSON; the credential stays where it is',
  moves:
    'the next rotation sets a new credential there with the admin secret; the one in use is never sent there, and keeps working where it was',
  refused: 'refused at synth: it is the credential, or comes from `adminSecret`',
} as const;
export type ContentEffect = keyof typeof contentEffects;

const endpoint = { username: 'moves', host: 'moves', port: 'moves', ssl: 'moves' } as const;
const never = { password: 'refused', masterarn: 'refused' } as const;
const database = { ...endpoint, engine: 'written', dbname: 'written', ...never } as const;

/** Types whose secrets Rekey can create. The JSON of an adopted one is its owner's, and no configuration changes it. */
export type CreatedType = Exclude<RotatedType, 'http'>;

/**
 * Every field that a type knows in the JSON of its secrets, and what a change of it in `create.fields` does. One that the type
 * does not know is written.
 */
export const contentChanges: Readonly<Record<CreatedType, Readonly<Record<string, ContentEffect>>>> = {
  postgresql: database,
  mysql: database,
  redshift: database,
  redis: { ...endpoint, engine: 'written', ...never },
  'iam-access-key': { username: 'moves', accessKeyId: 'refused', secretAccessKey: 'refused', ...never },
  'rds-admin': {
    ...database,
    engine: 'moves',
    dbInstanceIdentifier: 'moves',
    dbClusterIdentifier: 'moves',
  },
  elasticache: { ...endpoint, userId: 'moves', user_arn: 'moves', engine: 'written', ...never },
  generic: { rotates: 'refused', ...never },
};
