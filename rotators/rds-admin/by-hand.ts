import { shellWord } from '../../core/shell-word.ts';
import {
  type ByHand,
  type HandStep,
  type HandTarget,
  known,
  newPassword,
  store,
} from '../families/by-hand.ts';
import { listKills, mysqlClient, onRds } from '../mysql/by-hand.ts';
import { endAll, psql } from '../postgresql/by-hand.ts';
import { type Family, familyOfEngine } from './schema.ts';

type Fields = HandTarget['fields'];

/** The call of an API that sets the master password, and the one that shows whether it is done. */
interface Api {
  readonly change: string;
  readonly key: string;
  readonly identifier: string;
  readonly look: string;
}

const instance = (fields: Fields): Api => ({
  change: 'aws rds modify-db-instance',
  key: 'DBInstanceIdentifier',
  identifier: known(fields, 'dbInstanceIdentifier', 'DB instance identifier'),
  look: `aws rds describe-db-instances --query='DBInstances[].[DBInstanceIdentifier,DBClusterIdentifier,MasterUsername,Endpoint.Address,DBInstanceStatus]' --output=text`,
});
const cluster = (fields: Fields): Api => ({
  change: 'aws rds modify-db-cluster',
  key: 'DBClusterIdentifier',
  identifier: known(fields, 'dbClusterIdentifier', 'DB cluster identifier'),
  look: `aws rds describe-db-clusters --query='DBClusters[].[DBClusterIdentifier,MasterUsername,Endpoint,Status]' --output=text`,
});
const redshift = (fields: Fields): Api => ({
  change: 'aws redshift modify-cluster',
  key: 'ClusterIdentifier',
  identifier: known(fields, 'dbClusterIdentifier', 'cluster identifier'),
  look: `aws redshift describe-clusters --query='Clusters[].[ClusterIdentifier,MasterUsername,Endpoint.Address,ClusterStatus]' --output=text`,
});

/** Chooses the APIs for what is known; an Aurora database has its password in the cluster. */
function apisFor(fields: Fields, family: Family | undefined): readonly Api[] {
  if (family === 'redshift') return [redshift(fields)];
  const clustered = Boolean(fields.dbClusterIdentifier) || family === 'documentdb';
  if (clustered || String(fields.engine ?? '').startsWith('aurora')) return [cluster(fields)];
  return fields.dbInstanceIdentifier ? [instance(fields)] : [instance(fields), cluster(fields)];
}

/** Writes how the sessions of the master user end; other engines have their own means. */
function endOf(target: HandTarget, family: Family | undefined): readonly HandStep[] {
  const { fields } = target;
  const username = known(fields, 'username', 'master user');
  const at = (port: number) => ({ host: known(fields, 'host'), port: known({ port, ...fields }, 'port') });
  if (family === 'postgresql') {
    return [
      {
        aim: 'log in',
        in: 'shell',
        lines: [psql(at(5432), username, fields)],
        note: 'With the new password.',
      },
      { aim: 'end sessions', in: 'sql', lines: [endAll(username)] },
    ];
  }
  if (family === 'mysql' || family === 'mariadb') {
    return [
      {
        aim: 'log in',
        in: 'shell',
        lines: [mysqlClient(at(3306), username, fields)],
        note: 'With the new password.',
      },
      { aim: 'end sessions', in: 'sql', lines: [listKills(username)], printsLines: true, note: onRds },
    ];
  }
  return [];
}

/**
 * Writes what {@link contain} does for a person: the API sets another master password, with which sessions are ended.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
 */
export const byHand: ByHand = (target) => {
  const { fields } = target;
  const family = typeof fields.engine === 'string' ? familyOfEngine(fields.engine) : undefined;
  const apis = apisFor(fields, family);
  const end = endOf(target, family);
  return {
    steps: [
      { aim: 'find', in: 'shell', lines: apis.map(({ look }) => look) },
      {
        aim: 'refuse logins',
        in: 'shell',
        lines: [
          newPassword,
          ...apis.map(
            ({ change, key, identifier }) =>
              `jq -n --arg id ${shellWord(identifier)} '{${key}: $id, MasterUserPassword: env.NEW${change.startsWith('aws rds') ? ', ApplyImmediately: true' : ''}}' | ${change} --cli-input-json=file:///dev/stdin`,
          ),
        ],
        note: `The new password takes the place of the old one, within a minute or some.${apis.length > 1 ? ' Run the line of what the database is: an instance of its own, or a cluster.' : ''}`,
      },
      store(target),
      ...end,
    ],
    notes: [
      ...(end.length > 0
        ? []
        : [
            `Sessions that are open go on: end those of ${known(fields, 'username', 'master user')} by the means of the engine${family === undefined ? '' : ` (${family})`}.`,
          ]),
      'Where the API is away and the password is known, the master user can set another in the database itself.',
    ],
  };
};
