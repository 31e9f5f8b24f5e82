import {
  CreateDBClusterCommand,
  CreateDBInstanceCommand,
  DescribeDBInstancesCommand,
  ModifyDBInstanceCommand,
  RDSClient,
  StopDBInstanceCommand,
} from '@aws-sdk/client-rds';
import { CreateClusterCommand, RedshiftClient } from '@aws-sdk/client-redshift';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mysql from 'mysql2/promise';
import type { TargetContext } from '../../core/rotator.ts';
import { newServerFolder } from '../../local/process/folders.ts';
import { type MariaDbServer, missingMariaDb, startMariaDb } from '../../local/servers/mariadb.ts';
import { type PasswordReceiver, receivePasswords } from '../../local/servers/password-receiver.ts';
import { defaultPace } from '../../rotators/families/aws-api/reset.ts';
import { type RdsUnderTest, start } from './drivers/rds-admin.ts';
import { startHostile } from './hostile.ts';
import { failure, Scene, type Target } from './scene.ts';

type Secret = Parameters<RdsUnderTest['logsIn']>[0];

let target: RdsUnderTest;
let rds: RDSClient;
let made = 0;

beforeAll(async () => {
  target = await start();
  rds = new RDSClient(target.cloud.clientOptions());
});
afterAll(() => target?.stop());

const first = 'The-first-0ne';
const sceneOf = (secret: Secret, on: object = target) =>
  new Scene(on as unknown as Target, 'single-user', { secret, admin: secret } as never);
const world = async () => sceneOf((await target.createAccount()).secret);
const currentOf = (scene: Scene) => scene.current as unknown as Secret;
const size = { DBInstanceClass: 'db.r6g.large', AllocatedStorage: 20 };

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** An instance with a master user of its own. */
async function createInstance(tags: readonly Tag[] = []): Promise<Secret> {
  made += 1;
  const [username, id] = [`special_${made}`, `special-${made}`];
  await target.createRole(username, first);
  const instance = { DBInstanceIdentifier: id, Engine: 'postgres', MasterUsername: username, ...size };
  const Tags = [...target.tags, ...tags];
  await rds.send(new CreateDBInstanceCommand({ ...instance, MasterUserPassword: first, Tags }));
  const { host, port } = target.serverHandle;
  return { engine: 'postgres', host, port, username, password: first, dbInstanceIdentifier: id };
}

const slowly = [{ Key: 'rekey:reset-seconds', Value: '1.5' }];

describe('a database that is not to be changed', () => {
  test('is one whose password AWS manages: it is left to that, and the error says where', async () => {
    made += 1;
    const id = `managed-${made}`;
    const managed = { MasterUsername: 'master', ManageMasterUserPassword: true, Tags: [...target.tags] };
    await rds.send(
      new CreateDBClusterCommand({ DBClusterIdentifier: id, Engine: 'aurora-postgresql', ...managed }),
    );
    const { host, port } = target.serverHandle;
    const secret = { engine: 'aurora-postgresql', host, port, username: 'master', password: first };
    await target.createRole('master', first);
    const scene = sceneOf({ ...secret, dbClusterIdentifier: id });
    for (const work of [() => scene.rotate(), () => scene.contain(scene.current)]) {
      expect(await failure(work())).toMatchObject({
        code: 'ManagedByAws',
        message: expect.stringMatching(
          /manages the master password of DB cluster "managed-.*arn:aws:secretsm/,
        ),
      });
    }
    expect(await target.logsIn(currentOf(scene))).toBe(true);
  });

  test('is one of another master user, one elsewhere, and one that does not exist', async () => {
    const [one, other] = [await createInstance(), await createInstance()];
    const wrongs: [Partial<Secret>, string, RegExp][] = [
      [
        { dbInstanceIdentifier: other.dbInstanceIdentifier },
        'IdentityMismatch',
        /master user of DB instance/,
      ],
      [{ dbInstanceIdentifier: 'nothing' }, 'TargetRefused', /knows no DB instance "nothing"/],
      [{ dbInstanceIdentifier: null, username: other.username, port: 1 }, 'TargetUnreachable', /./],
    ];
    for (const [change, code, message] of wrongs) {
      const scene = sceneOf({ ...one, ...change });
      expect(await failure(scene.rotate())).toMatchObject({ code, message: expect.stringMatching(message) });
    }
    const before = target.resets();
    const elsewhere = await createElsewhere(one.username);
    const scene = sceneOf({ ...one, dbInstanceIdentifier: elsewhere });
    scene.versions[0] = { ...scene.current, password: 'lost-long-ago' };
    expect(await failure(scene.rotate())).toMatchObject({
      code: 'IdentityMismatch',
      message: expect.stringContaining('host localhost is none of DB instance'),
    });
    expect(target.resets()).toBe(before);
  });

  /** An instance whose endpoint leads nowhere. */
  async function createElsewhere(MasterUsername: string): Promise<string> {
    made += 1;
    const DBInstanceIdentifier = `elsewhere-${made}`;
    const Tags = [{ Key: 'rekey:endpoint', Value: '192.0.2.1:5432' }];
    const instance = { DBInstanceIdentifier, Engine: 'postgres', MasterUsername, ...size, Tags };
    await rds.send(new CreateDBInstanceCommand({ ...instance, MasterUserPassword: first }));
    return DBInstanceIdentifier;
  }

  test('is one of two that fit when there is no identifier', async () => {
    const secret = await createInstance();
    const { dbInstanceIdentifier: _id, ...anonymous } = secret;
    const twin = { DBInstanceIdentifier: `twin-${made}`, Engine: 'postgres', ...size };
    const master = { MasterUsername: secret.username, MasterUserPassword: first, Tags: [...target.tags] };
    await rds.send(new CreateDBInstanceCommand({ ...twin, ...master }));
    expect(await failure(sceneOf(anonymous as Secret).rotate())).toMatchObject({
      code: 'IdentityMismatch',
      message: expect.stringMatching(/^2 databases .* put dbInstanceIdentifier/),
    });
  });

  test('is one in another state: the error names the state and can be tried again', async () => {
    const secret = await createInstance();
    await rds.send(
      new StopDBInstanceCommand({ DBInstanceIdentifier: secret.dbInstanceIdentifier ?? undefined }),
    );
    const scene = sceneOf(secret);
    for (const work of [() => scene.rotate(), () => scene.contain(scene.current)]) {
      const error = await failure(work());
      expect(error).toMatchObject({ code: 'TargetTimeout', message: expect.stringContaining('is "stop') });
    }
    expect(await target.logsIn(secret)).toBe(true);
  });
});

test('a rotation and a containment leave alone what waits for the maintenance window', async () => {
  const secret = await createInstance();
  const DBInstanceIdentifier = secret.dbInstanceIdentifier ?? undefined;
  const larger = { DBInstanceClass: 'db.m7g.2xlarge', EngineVersion: '17.5' };
  await rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier, ...larger }));
  const scene = sceneOf(secret);
  const next = await scene.rotate();
  expect(await target.logsIn(next as unknown as Secret)).toBe(true);
  await scene.contain(next);
  const { DBInstances } = await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier }));
  expect(DBInstances?.[0]?.PendingModifiedValues).toMatchObject(larger);
  expect(DBInstances?.[0]?.DBInstanceClass).toBe(size.DBInstanceClass);
});

describe('a reset that takes its time', () => {
  test('because another change is under way is asked for when that is over', async () => {
    const secret = await createInstance([{ Key: 'rekey:modify-seconds', Value: '1.5' }]);
    const DBInstanceIdentifier = secret.dbInstanceIdentifier ?? undefined;
    await rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier, AllocatedStorage: 40 }));
    const scene = sceneOf(secret);
    const next = await scene.rotate();
    expect(await target.logsIn(next as unknown as Secret)).toBe(true);
    expect(scene.findings).toEqual([]);
    await rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier, AllocatedStorage: 60 }));
    expect(await scene.contain(next)).toMatchObject({ loginsRefused: true });
    expect(await target.logsIn(next as unknown as Secret)).toBe(false);
  });

  test('before it shows at all is waited for where no login can tell', async () => {
    made += 1;
    const id = `late-${made}`;
    const master = { MasterUsername: `late_${made}`, MasterUserPassword: first };
    await target.createRole(master.MasterUsername, first);
    const Tags = [...target.tags, { Key: 'rekey:reset-seconds', Value: '4.5' }];
    const create = { DBClusterIdentifier: id, Engine: 'docdb', ...master, Tags };
    await rds.send(new CreateDBClusterCommand(create));
    const { host, port } = target.serverHandle;
    const username = master.MasterUsername;
    const secret: Secret = {
      engine: 'mongo',
      host,
      port,
      username,
      password: first,
      dbClusterIdentifier: id,
    };
    // In the proportion of the default pace: half a minute and more before it shows, and two minutes of patience.
    const rotator = target.paced({ budgetMs: 8_000, pollMs: 60, settleMs: defaultPace.settleMs / 40 });
    const next = await sceneOf(secret, { ...target, rotator }).rotate();
    expect(await target.logsIn({ ...(next as unknown as Secret), engine: 'postgres' })).toBe(true);
  });

  test('fails the step when that is too long, and the next try goes on with it', async () => {
    const secret = await createInstance(slowly);
    const hasty = {
      ...target,
      rotator: target.paced({ budgetMs: 700, pollMs: 60, settleMs: 300 }),
    };
    const scene = sceneOf(secret, hasty);
    const next = await scene.propose();
    const before = target.resets();
    expect(await failure(scene.rotate(next))).toMatchObject({
      code: 'TargetTimeout',
      message: expect.stringMatching(/DB instance "special-.*did not finish the reset/),
    });
    expect(await target.logsIn(secret)).toBe(true);
    const patient = sceneOf(secret);
    await patient.rotate(next);
    expect(await target.logsIn(next as unknown as Secret)).toBe(true);
    expect(target.resets()).toBe(before + 1);
    expect(patient.findings).toEqual([]);
  });

  test('is waited for by a containment, which then sees that the leaked password is dead', async () => {
    const secret = await createInstance(slowly);
    const scene = sceneOf(secret);
    const next = await scene.propose();
    const before = target.resets();
    const rotating = scene.rotate(next);
    // Awaited below; should it fail before, that is no unhandled rejection.
    rotating.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    const contained = await sceneOf(secret).contain(secret as never);
    expect(contained).toEqual({
      loginsRefused: true,
      sessionsEnded: 0,
      note: expect.stringContaining('when a rotation has set a password'),
    });
    await rotating;
    expect(await target.logsIn(next as unknown as Secret)).toBe(true);
    expect(target.resets()).toBe(before + 1);
  });
});

describe('containment', () => {
  test('leaves a password that nobody knows, and a rotation that needs no login brings one back', async () => {
    const scene = await world();
    await scene.rotate();
    const [leaked, older] = [currentOf(scene), scene.previous as unknown as Secret];
    await scene.contain(leaked as never);
    expect([await target.logsIn(leaked), await target.logsIn(older)]).toEqual([false, false]);
    expect(await scene.contain(older as never)).toMatchObject({ loginsRefused: true, sessionsEnded: 0 });
    expect(await target.logsIn((await scene.rotate()) as unknown as Secret)).toBe(true);
    expect(scene.findings.map(({ code }) => code)).toEqual(['CurrentCredentialRefused']);
  });

  test('cuts logins off even where no session can be ended, and says so', async () => {
    const scene = await world();
    const leaked = currentOf(scene);
    const session = await target.openSession(leaked);
    await target.serverHandle.useCertificate({ expired: true });
    try {
      expect(await scene.contain(leaked as never)).toEqual({
        loginsRefused: true,
        sessionsEnded: 0,
        note: expect.stringMatching(/go on until the rotation: .*certificate/),
      });
    } finally {
      await target.serverHandle.useCertificate({ hosts: ['localhost', '127.0.0.1'] });
    }
    expect([await target.logsIn(leaked), await session.alive()]).toEqual([false, true]);
    await scene.rotate();
    const swept = await scene.contain(leaked as never, new Date());
    expect(swept).toMatchObject({ loginsRefused: true, sessionsEnded: 1 });
    expect(await session.alive()).toBe(false);
  });

  test('changes nothing while the APIs are out of reach, and says that it did not', async () => {
    const scene = await world();
    target.reachable(false);
    try {
      expect((await failure(scene.contain(scene.current))).code).toBe('TargetUnreachable');
      expect((await failure(scene.rotate())).code).toBe('TargetUnreachable');
    } finally {
      target.reachable(true);
    }
    expect(await target.logsIn(currentOf(scene))).toBe(true);
  });
});

test('a database whose name is an alias of its endpoint is changed', async () => {
  const secret = await createInstance();
  const scene = sceneOf({ ...secret, host: '127.0.0.1' });
  scene.isAssigned = false;
  // The password logs in at the database itself.
  const rotated = (await scene.rotate()) as unknown as Secret;
  expect(await target.logsIn(rotated)).toBe(true);
  // A name proves nothing by what it stands for: that may change before the next connection.
  scene.versions.unshift({ ...rotated, password: 'a guess of the writer 1' });
  expect(await failure(scene.rotate())).toMatchObject({
    code: 'IdentityMismatch',
    message: expect.stringContaining('correct host'),
  });
  expect(await target.logsIn(rotated)).toBe(true);
});

test('over a connection without TLS that the secret alone asks for no password is sent that works', async () => {
  // Whoever is on the way takes any password for the right one.
  const onTheWay = await startHostile('postgresql');
  try {
    const secret = await createInstance();
    const scene = sceneOf({
      ...secret,
      port: onTheWay.port,
      ssl: false,
      password: 'a-guess-of-the-writer-1',
    });
    scene.isAssigned = false;
    expect(await failure(scene.rotate())).toMatchObject({
      code: 'CredentialUnusable',
      message: expect.stringContaining('take "ssl": false out of it'),
    });
    expect(await target.logsIn(secret)).toBe(true);
    const before = target.given.length;
    expect(await scene.contain(scene.current)).toEqual({
      loginsRefused: true,
      sessionsEnded: 0,
      note: expect.stringMatching(/was replaced, but sessions .* go on: .*without TLS.*identity:/),
    });
    expect(await target.logsIn(secret)).toBe(false);
    expect(target.given.length).toBe(before + 1);
    expect(onTheWay.learned(target.given)).toEqual([]);
    // Where the deployment names the place, that is its business.
    const named = sceneOf({ ...secret, port: onTheWay.port, ssl: false });
    const next = await named.rotate();
    expect(onTheWay.learned([String(next.password)])).toHaveLength(1);
  } finally {
    await onTheWay.stop();
  }
});

test('Redshift: the cluster is changed within its own rules, and sessions that cannot be ended are named', async () => {
  made += 1;
  const [username, id] = [`warehouse_${made}`, `warehouse-${made}`];
  await target.createRole(username, first);
  const redshift = new RedshiftClient(target.cloud.clientOptions());
  const cluster = { ClusterIdentifier: id, NodeType: 'ra3.large', MasterUsername: username };
  await redshift.send(
    new CreateClusterCommand({ ...cluster, MasterUserPassword: first, Tags: [...target.tags] }),
  );
  const { host, port } = target.serverHandle;
  const secret = { engine: 'redshift', host, port, dbname: 'postgres', username, password: first };
  for (const own of [{ ...secret, dbClusterIdentifier: id }, secret]) {
    const scene = sceneOf(own as Secret);
    scene.versions[0] = { ...scene.current, password: first };
    await target.createRole(username, first);
    const next = await scene.rotate();
    expect(next.password).toMatch(/^(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])[!-~]{32}$/);
    expect(await scene.contain(next)).toEqual({
      loginsRefused: true,
      sessionsEnded: 0,
      note: expect.stringContaining('ending them on redshift is not supported'),
    });
    expect(await target.logsIn(next as unknown as Secret)).toBe(false);
    expect(await target.logsIn((await scene.rotate()) as unknown as Secret)).toBe(true);
  }
});

test('DocumentDB: the API is waited for, the login is reported as not verifiable', async () => {
  made += 1;
  const id = `documents-${made}`;
  const master = { MasterUsername: 'master', MasterUserPassword: first };
  await target.createRole('master', first);
  const create = { DBClusterIdentifier: id, Engine: 'docdb', ...master, Tags: [...target.tags] };
  await rds.send(new CreateDBClusterCommand(create));
  const { host, port } = target.serverHandle;
  const secret: Secret = { engine: 'mongo', host, port, username: 'master', password: first };
  const scene = sceneOf({ ...secret, dbClusterIdentifier: id });
  // A real login shows that the password was in force when the rotator went on.
  const asPostgres = (one: unknown) => ({ ...(one as Secret), engine: 'postgres' });
  const next = await scene.rotate();
  expect(await target.logsIn(asPostgres(next))).toBe(true);
  expect(await target.rotator.probe(next as unknown as Secret, scene.context)).toEqual({
    outcome: 'unverifiable',
    note: expect.stringContaining('no driver for mongo'),
  });
  const before = target.resets();
  expect(await scene.contain(scene.previous ?? {}, new Date())).toMatchObject({ loginsRefused: true });
  expect(target.resets()).toBe(before);
  expect(await scene.contain(next)).toMatchObject({
    loginsRefused: true,
    sessionsEnded: 0,
    note: expect.stringContaining('sessions of "master" that are open go on'),
  });
  expect(await target.logsIn(asPostgres(next))).toBe(false);
  expect(await target.logsIn(asPostgres(await scene.rotate()))).toBe(true);
});

const unavailable = await missingMariaDb();
const describeMariaDb = unavailable === undefined ? describe : describe.skip;

describeMariaDb('MariaDB', () => {
  let server: MariaDbServer;
  let receiver: PasswordReceiver;
  let superuser: mysql.Connection;
  beforeAll(async () => {
    server = await startMariaDb({ directory: await newServerFolder('rds-mariadb') });
    const { username: user, password } = server.superuser;
    superuser = await mysql.createConnection({ socketPath: server.socket, user, password });
    receiver = await receivePasswords(async (login) => {
      await superuser.query('ALTER USER ?@? IDENTIFIED BY ?', [login.username, '%', login.passwords[0]]);
    });
  });
  afterAll(async () => {
    await receiver?.close();
    superuser?.destroy();
    await server?.remove();
  });

  test('is rotated, contained with its sessions, and brought back', async () => {
    await superuser.query('CREATE USER ?@? IDENTIFIED BY ?', ['boss', '%', first]);
    const { host, port, caPem } = server;
    const instance = { DBInstanceIdentifier: 'maria', Engine: 'mariadb', MasterUsername: 'boss', ...size };
    const Tags = receiver.tags(host, port);
    await rds.send(new CreateDBInstanceCommand({ ...instance, MasterUserPassword: first, Tags }));
    const context: Omit<TargetContext, 'finding'> = { ...target.context, certificateAuthorities: [caPem] };
    const secret: Secret = { engine: 'mariadb', host, port, username: 'boss', password: first };
    const scene = sceneOf({ ...secret, dbInstanceIdentifier: 'maria' }, { ...target, context });
    const probe = async (one: unknown) =>
      (await target.rotator.probe(one as Secret, { ...context, finding: () => {} })).outcome;
    const old = scene.current;
    const leaked = await scene.rotate();
    expect([await probe(old), await probe(leaked)]).toEqual(['rejected', 'accepted']);

    const session = await mysql.createConnection({
      host,
      port,
      user: 'boss',
      password: String(leaked.password),
      ssl: { ca: caPem },
    });
    session.on('error', () => {});
    expect(await scene.contain(leaked)).toEqual({ loginsRefused: true, sessionsEnded: 1 });
    await expect(session.query('SELECT 1')).rejects.toThrow();
    expect(await probe(leaked)).toBe('rejected');
    const next = await scene.rotate();
    expect([await probe(leaked), await probe(next)]).toEqual(['rejected', 'accepted']);
    expect(await scene.contain(leaked, new Date())).toMatchObject({ loginsRefused: true });
    expect(await probe(next)).toBe('accepted');
    session.destroy();
  });
});
