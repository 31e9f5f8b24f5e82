import { readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateDBClusterCommand,
  CreateDBInstanceCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  ModifyDBClusterCommand,
  ModifyDBInstanceCommand,
  RDSClient,
  StopDBInstanceCommand,
} from '@aws-sdk/client-rds';
import {
  CreateClusterCommand,
  DescribeClustersCommand,
  ModifyClusterCommand,
  PauseClusterCommand,
  RedshiftClient,
} from '@aws-sdk/client-redshift';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { refusal, refusalText } from './support/refusal.ts';
import { allow } from './support/stack.ts';

const first = 'The-first-0ne';
const second = 'The-sec0nd-one';

describe('master passwords', () => {
  let directory: string;
  let cloud: LocalCloud;
  let rds: RDSClient;
  let redshift: RedshiftClient;
  let receiver: Server;
  let url: string;
  const heard: unknown[] = [];
  let made = 0;

  beforeAll(async () => {
    directory = await newFolder('databases');
    cloud = await startCloud({ directory });
    rds = new RDSClient(cloud.clientOptions());
    redshift = new RedshiftClient(cloud.clientOptions());
    receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (text) => {
        body += text;
      });
      request.on('end', () => {
        heard.push(JSON.parse(body));
        response.end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const address = receiver.address();
    url = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/`;
  });

  afterAll(async () => {
    receiver?.close();
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const name = () => {
    made += 1;
    return `db-${made}`;
  };
  const tags = (seconds = '3') => [
    { Key: 'rekey:endpoint', Value: 'db.example:6543' },
    { Key: 'rekey:password-url', Value: url },
    { Key: 'rekey:reset-seconds', Value: seconds },
  ];
  const master = { MasterUsername: 'master', MasterUserPassword: first };

  async function createInstance(Engine = 'postgres', DBInstanceIdentifier = name()): Promise<string> {
    const instance = { DBInstanceIdentifier, Engine, DBInstanceClass: 'db.t4g.micro', AllocatedStorage: 20 };
    await rds.send(new CreateDBInstanceCommand({ ...instance, ...master, Tags: tags() }));
    return DBInstanceIdentifier;
  }
  async function createCluster(Engine: string, more: object = master): Promise<string> {
    const DBClusterIdentifier = name();
    await rds.send(new CreateDBClusterCommand({ DBClusterIdentifier, Engine, ...more, Tags: tags() }));
    return DBClusterIdentifier;
  }
  const instance = async (DBInstanceIdentifier: string) => {
    const answer = await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier }));
    return answer.DBInstances?.[0];
  };
  const cluster = async (DBClusterIdentifier: string) => {
    const answer = await rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier }));
    return answer.DBClusters?.[0];
  };
  const change = (MasterUserPassword: string) => ({ MasterUserPassword, ApplyImmediately: true });

  /** Every state that `look` saw, in turn and once each, until it says that all is over. */
  async function course(look: () => Promise<[string, boolean]>): Promise<string[]> {
    const seen: string[] = [];
    for (let round = 0; round < 200; round += 1) {
      const [state, over] = await look();
      if (seen.at(-1) !== state) seen.push(state);
      if (over) return seen;
      await sleep(20);
    }
    throw new Error(`not over after ${seen.join(', ')}`);
  }

  // https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
  test('of an instance is set after the answer, through resetting-master-credentials, and reaches the server', async () => {
    const DBInstanceIdentifier = await createInstance();
    expect((await instance(DBInstanceIdentifier))?.Endpoint).toMatchObject({
      Address: 'db.example',
      Port: 6543,
    });
    const answer = await rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier, ...change(second) }));
    expect(answer.DBInstance?.PendingModifiedValues?.MasterUserPassword).toBe('****');
    expect(heard).not.toContainEqual({ username: 'master', passwords: [second] });
    const states = await course(async () => {
      const { DBInstanceStatus = '', PendingModifiedValues: pending } =
        (await instance(DBInstanceIdentifier)) ?? {};
      return [DBInstanceStatus, pending?.MasterUserPassword === undefined];
    });
    expect(states).toEqual(['available', 'resetting-master-credentials', 'available']);
    expect(heard).toContainEqual({ username: 'master', passwords: [second] });
  });

  // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html: modifying
  // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html
  test('of an instance is set at once, and takes what waits for the window with it only when it says so', async () => {
    const DBInstanceIdentifier = await createInstance();
    const modify = (more: object) => rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier, ...more }));
    await modify({ DBInstanceClass: 'db.m7g.large' });
    const waiting = () =>
      course(async () => {
        const found = await instance(DBInstanceIdentifier);
        const { MasterUserPassword, DBInstanceClass } = found?.PendingModifiedValues ?? {};
        const over = found?.DBInstanceStatus === 'available' && MasterUserPassword === undefined;
        return [`${found?.DBInstanceClass} ${DBInstanceClass}`, over];
      });
    await modify({ MasterUserPassword: second });
    expect(await waiting()).toEqual(['db.t4g.micro db.m7g.large']);
    expect(heard).toContainEqual({ username: 'master', passwords: [second] });
    await modify({ MasterUserPassword: first, ApplyImmediately: true });
    expect((await waiting()).at(-1)).toBe('db.m7g.large undefined');
  });

  // https://docs.aws.amazon.com/documentdb/latest/developerguide/API_ModifyDBCluster.html
  test('of a cluster of docdb waits for the window unless it says so', async () => {
    const DBClusterIdentifier = await createCluster('docdb');
    heard.length = 0;
    await rds.send(new ModifyDBClusterCommand({ DBClusterIdentifier, MasterUserPassword: second }));
    await sleep(500);
    expect([(await cluster(DBClusterIdentifier))?.Status, heard]).toEqual(['available', []]);
  });

  test('of an instance is not taken while another change is made, and is afterwards', async () => {
    const DBInstanceIdentifier = name();
    const size = { Engine: 'postgres', DBInstanceClass: 'db.t4g.micro', AllocatedStorage: 20 };
    const Tags = [...tags(), { Key: 'rekey:modify-seconds', Value: '1.5' }];
    await rds.send(new CreateDBInstanceCommand({ DBInstanceIdentifier, ...size, ...master, Tags }));
    await rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier, AllocatedStorage: 40 }));
    expect((await instance(DBInstanceIdentifier))?.DBInstanceStatus).toBe('modifying');
    const modify = new ModifyDBInstanceCommand({ DBInstanceIdentifier, ...change(second) });
    expect(await refusal(rds.send(modify))).toMatch(/InvalidDBInstanceState/);
    await course(async () => {
      const { DBInstanceStatus = '' } = (await instance(DBInstanceIdentifier)) ?? {};
      return [DBInstanceStatus, DBInstanceStatus === 'available'];
    });
    await rds.send(modify);
  });

  // https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html
  test.each([
    ['aurora-postgresql', true],
    // https://docs.aws.amazon.com/documentdb/latest/developerguide/API_DBCluster.html has no PendingModifiedValues
    ['docdb', false],
  ])('of a cluster of %s likewise', async (engine, showsPending) => {
    const DBClusterIdentifier = await createCluster(engine);
    expect(await cluster(DBClusterIdentifier)).toMatchObject({ Endpoint: 'db.example', Port: 6543 });
    const before = heard.length;
    const { DBCluster } = await rds.send(
      new ModifyDBClusterCommand({ DBClusterIdentifier, ...change(second) }),
    );
    expect(DBCluster?.PendingModifiedValues?.MasterUserPassword).toBe(showsPending ? '****' : undefined);
    const states = await course(async () => {
      const { Status = '' } = (await cluster(DBClusterIdentifier)) ?? {};
      return [Status, heard.length > before && Status === 'available'];
    });
    expect(states).toEqual(['available', 'resetting-master-credentials', 'available']);
    expect(heard.at(-1)).toEqual({ username: 'master', passwords: [second] });
  });

  // https://docs.aws.amazon.com/redshift/latest/APIReference/API_ModifyCluster.html
  test('of a Redshift cluster is pending until it is set', async () => {
    const ClusterIdentifier = name();
    await redshift.send(
      new CreateClusterCommand({ ClusterIdentifier, NodeType: 'ra3.large', ...master, Tags: tags() }),
    );
    const look = async () =>
      (await redshift.send(new DescribeClustersCommand({ ClusterIdentifier }))).Clusters?.[0];
    expect(await look()).toMatchObject({
      ClusterStatus: 'available',
      MasterUsername: 'master',
      DBName: 'dev',
      Endpoint: { Address: 'db.example', Port: 6543 },
    });
    await redshift.send(new ModifyClusterCommand({ ClusterIdentifier, MasterUserPassword: second }));
    const states = await course(async () => {
      const pending = (await look())?.PendingModifiedValues?.MasterUserPassword ?? 'none';
      return [pending, pending === 'none'];
    });
    expect(states).toEqual(['****', 'none']);
    expect(heard.at(-1)).toEqual({ username: 'master', passwords: [second] });
    const { Clusters = [] } = await redshift.send(new DescribeClustersCommand({}));
    expect(Clusters.map((one) => one.ClusterIdentifier)).toContain(ClusterIdentifier);
    await redshift.send(new PauseClusterCommand({ ClusterIdentifier }));
    const paused = redshift.send(new ModifyClusterCommand({ ClusterIdentifier, MasterUserPassword: first }));
    expect(await refusal(paused)).toMatch(/^InvalidClusterState/);
  });

  // https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html#API_ModifyDBInstance_Errors
  test('is refused in another state, for a member of a cluster, and where Secrets Manager has it', async () => {
    const DBInstanceIdentifier = await createInstance();
    await rds.send(new StopDBInstanceCommand({ DBInstanceIdentifier }));
    const stopped = rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier, ...change(second) }));
    expect(await refusalText(stopped)).toMatch(/^InvalidDBInstanceState.*with status stopp/);

    const DBClusterIdentifier = await createCluster('aurora-postgresql');
    const member = { DBInstanceIdentifier: name(), DBInstanceClass: 'db.r6g.large' };
    await rds.send(
      new CreateDBInstanceCommand({ ...member, Engine: 'aurora-postgresql', DBClusterIdentifier }),
    );
    expect((await instance(member.DBInstanceIdentifier))?.DBClusterIdentifier).toBe(DBClusterIdentifier);
    expect(await cluster(DBClusterIdentifier)).toMatchObject({ Endpoint: 'db.example', Port: 6543 });
    const { DBInstanceIdentifier: id } = member;
    const ofMember = rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: id, ...change(second) }));
    expect(await refusal(ofMember)).toBe('InvalidParameterCombination');

    const managed = await createCluster('aurora-mysql', {
      MasterUsername: 'master',
      ManageMasterUserPassword: true,
    });
    expect((await cluster(managed))?.MasterUserSecret?.SecretArn).toContain(':secret:');
    const ofManaged = rds.send(
      new ModifyDBClusterCommand({ DBClusterIdentifier: managed, ...change(second) }),
    );
    expect(await refusal(ofManaged)).toBe('InvalidParameterCombination');
  });

  test('is held to the documented length and characters', async () => {
    const mysql = await createInstance('mysql');
    const postgres = await createInstance('postgres');
    const aurora = await createCluster('aurora-postgresql');
    const ofInstance = (DBInstanceIdentifier: string, password: string) =>
      refusal(rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier, ...change(password) })));
    const refused = 'InvalidParameterValue';
    for (const wrong of ['sh0rt', 'with space 1', 'with/slash1', 'with"quote1', 'with@at123', 'ümlaut-123']) {
      expect([wrong, await ofInstance(postgres, wrong)]).toEqual([wrong, refused]);
    }
    expect(await ofInstance(mysql, 'x'.repeat(42))).toBe(refused);
    expect(await ofInstance(postgres, 'x'.repeat(129))).toBe(refused);
    const ofCluster = rds.send(
      new ModifyDBClusterCommand({ DBClusterIdentifier: aurora, ...change('x'.repeat(42)) }),
    );
    expect(await refusal(ofCluster)).toBe(refused);
    for (const wrong of ['alllower1', 'ALLUPPER1', 'NoDigitHere', "With'quote1", 'With\\slash1']) {
      const one = { ClusterIdentifier: name(), NodeType: 'ra3.large', MasterUsername: 'master' };
      const made = redshift.send(new CreateClusterCommand({ ...one, MasterUserPassword: wrong }));
      expect([wrong, await refusal(made)]).toEqual([wrong, refused]);
    }
  });

  // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
  test('may be set only by who is permitted to, on that database', async () => {
    const mine = await createInstance();
    const notMine = await createInstance();
    const docdb = await createCluster('docdb');
    const ClusterIdentifier = name();
    await redshift.send(new CreateClusterCommand({ ClusterIdentifier, NodeType: 'ra3.large', ...master }));
    const database = `arn:aws:rds:${cloud.region}:${cloud.accountId}:db:${mine}`;
    const user = await createUser(cloud, 'modifier', [allow('rds:ModifyDBInstance', database)]);
    const asUser = cloud.clientOptions(user.credentials);
    const own = new RDSClient(asUser);
    await own.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: mine, ...change(second) }));
    const others = [
      own.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: notMine, ...change(second) })),
      own.send(new ModifyDBClusterCommand({ DBClusterIdentifier: docdb, ...change(second) })),
      new RedshiftClient(asUser).send(
        new ModifyClusterCommand({ ClusterIdentifier, MasterUserPassword: second }),
      ),
      new RedshiftClient(asUser).send(new DescribeClustersCommand({ ClusterIdentifier })),
    ];
    for (const refused of await Promise.all(others.map(refusal))) expect(refused).toMatch(/^AccessDenied/);
  });

  test('is not in the log of the local cloud', async () => {
    const log = await readFile(cloud.logFile, 'utf8');
    expect(log).not.toBe('');
    expect([log.includes(first), log.includes(second)]).toEqual([false, false]);
  });
});
