import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import {
  App,
  type AppProps,
  CfnOutput,
  NestedStack,
  SecretValue,
  Stack,
  Stage,
  Validations,
} from 'aws-cdk-lib';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  DatabaseCluster,
  DatabaseClusterEngine,
} from 'aws-cdk-lib/aws-rds';
import { HostedRotation, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AwsSolutionsChecks } from 'cdk-nag';
import { loadConfiguration } from '../../lib/config/config.ts';
import { packageRoot } from '../../lib/function/bundle.ts';
import { RekeyEnvironment, RekeyPolicyValidation } from '../../lib/index.ts';
import { testApp } from './support/app.ts';

/** The plugin in apps as others write them: what it finds, what it leaves alone, and how it is acknowledged. */

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newApp(props: AppProps = {}): App {
  const outdir = mkdtempSync(join(tmpdir(), 'rekey-validation-'));
  folders.push(outdir);
  return new App({ outdir, builtinCloudFormationValidation: false, ...props });
}

interface Reported {
  readonly ruleName: string;
  readonly description: string;
  readonly severity: string;
  readonly reason?: string;
  readonly violatingConstructs: readonly { readonly constructPath: string }[];
}

/** Synthesizes an app, and reads the report that the CDK writes. A failure is part of the result, not an error. */
function reportOf(app: App): {
  failed: boolean;
  text: string;
  violations: Reported[];
  suppressed: Reported[];
} {
  let text = '';
  try {
    app.synth();
  } catch (error) {
    text = String(error);
  }
  const { pluginReports } = JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8'));
  const own = pluginReports.find(({ pluginName }: { pluginName: string }) => pluginName === 'Rekey');
  return {
    failed: text !== '',
    text,
    violations: own?.violations ?? [],
    suppressed: own?.suppressedViolations ?? [],
  };
}

const found = ({ violations }: ReturnType<typeof reportOf>) =>
  violations.map(
    ({ ruleName, violatingConstructs }) => `${ruleName} ${violatingConstructs[0]?.constructPath}`,
  );

const planted = (scope: Stack): Secret =>
  new Secret(scope, 'Db', {
    encryptionKey: new Key(scope, 'Key', { enableKeyRotation: true }),
    secretObjectValue: { password: SecretValue.unsafePlainText('hunter22') },
  });

describe('RekeyPolicyValidation', () => {
  test('fails a synth, and names the construct and what to do, without the value', () => {
    const app = newApp();
    planted(new Stack(app, 'Shop'));
    Validations.of(app).addPlugins(new RekeyPolicyValidation());
    const report = reportOf(app);
    expect(report.failed).toBe(true);
    expect(found(report)).toEqual([
      'SecretValueInTemplate Shop/Db/Resource',
      'SecretWithoutRotation Shop/Db/Resource',
    ]);
    expect(report.text).toContain('SecretString of secret Shop/Db holds key password');
    expect(report.text).toContain('use GenerateSecretString');
    expect(report.text).toContain("Acknowledge with 'Rekey::SecretValueInTemplate'");
    expect(report.text).not.toContain('hunter22');
  });

  test('an acknowledgement on the construct, or above it, lets the synth pass and stays in the report', () => {
    const app = newApp();
    const stack = new Stack(app, 'Shop');
    const db = planted(stack);
    Validations.of(app).addPlugins(new RekeyPolicyValidation());
    Validations.of(db).acknowledge({ id: 'Rekey::SecretValueInTemplate', reason: 'A drill.' });
    Validations.of(app).acknowledge({ id: 'Rekey::SecretWithoutRotation', reason: 'The vendor changes it.' });
    const report = reportOf(app);
    expect(report).toMatchObject({ failed: false, violations: [] });
    expect(report.suppressed.map(({ ruleName, reason }) => [ruleName, reason])).toEqual([
      ['SecretValueInTemplate', 'A drill.'],
      ['SecretWithoutRotation', 'The vendor changes it.'],
    ]);
  });

  test('warnings are shown, and stop nothing', () => {
    const app = newApp();
    const stack = new Stack(app, 'Shop');
    const secret = new Secret(stack, 'Db');
    secret.addRotationSchedule('Rotation', { hostedRotation: HostedRotation.postgreSqlSingleUser() });
    Validations.of(app).addPlugins(new RekeyPolicyValidation());
    const report = reportOf(app);
    expect(report.failed).toBe(false);
    expect(report.violations).toMatchObject([{ ruleName: 'SecretWithoutCustomerKey', severity: 'warning' }]);
  });

  test('sees stages, nested stacks and outputs, and is acknowledged there', () => {
    const app = newApp();
    const stage = new Stage(app, 'Prod');
    const stack = new Stack(stage, 'Shop');
    const secret = planted(new NestedStack(stack, 'Inner') as unknown as Stack);
    new CfnOutput(stack, 'Password', { value: secret.secretValueFromJson('password').unsafeUnwrap() });
    Validations.of(app).addPlugins(new RekeyPolicyValidation());
    const report = reportOf(app);
    expect(
      report.violations.map(({ ruleName, description }) => `${ruleName} ${description.split(':')[0]}`),
    ).toEqual([
      'ResolvedSecretExposed Prod/Shop/Password',
      'SecretValueInTemplate Prod/Shop/Inner/Db',
      'SecretWithoutRotation Prod/Shop/Inner/Db',
    ]);

    const again = newApp();
    const shop = new Stack(again, 'Shop');
    const output = new CfnOutput(shop, 'Password', { value: SecretValue.secretsManager('x').unsafeUnwrap() });
    Validations.of(again).addPlugins(new RekeyPolicyValidation());
    Validations.of(output).acknowledge({ id: 'Rekey::ResolvedSecretExposed', reason: 'A drill.' });
    expect(reportOf(again)).toMatchObject({
      failed: false,
      violations: [],
      suppressed: [{ reason: 'A drill.' }],
    });
  });

  test('limits are those of its properties', () => {
    const withLimit = (maximumRotationDays?: number) => {
      const app = newApp();
      const stack = new Stack(app, 'Shop');
      const encryptionKey = new Key(stack, 'Key', { enableKeyRotation: true });
      new Secret(stack, 'Db', { encryptionKey }).addRotationSchedule('Rotation', {
        hostedRotation: HostedRotation.mysqlSingleUser(),
      });
      Validations.of(app).addPlugins(
        new RekeyPolicyValidation(maximumRotationDays === undefined ? {} : { maximumRotationDays }),
      );
      return found(reportOf(app));
    };
    expect(withLimit()).toEqual([]);
    // The CDK's schedule is of 30 days.
    expect(withLimit(7)).toEqual(['RotationIntervalTooLong Shop/Db/Rotation/Resource']);
  });

  test('works beside cdk-nag, and each has its own acknowledgements', () => {
    const app = newApp();
    const db = planted(new Stack(app, 'Shop'));
    Validations.of(app).addPlugins(new RekeyPolicyValidation(), new AwsSolutionsChecks(app));
    Validations.of(db).acknowledge(
      { id: 'Rekey::SecretValueInTemplate', reason: 'A drill.' },
      { id: 'Rekey::SecretWithoutRotation', reason: 'A drill.' },
    );
    const report = reportOf(app);
    expect(report.text).toContain('AwsSolutions-SMG4');
    expect(report.violations).toEqual([]);
    expect(report.suppressed).toHaveLength(2);
  });

  test('takes the older form of plugins, too', () => {
    const app = newApp({ policyValidationBeta1: [new RekeyPolicyValidation()] });
    planted(new Stack(app, 'Shop'));
    expect(found(reportOf(app))).toContain('SecretValueInTemplate Shop/Db/Resource');
  });
});

describe('is silent on what is in order', () => {
  test('a database, its rotated secrets and a consumer, as the CDK makes them', () => {
    const app = newApp();
    const stack = new Stack(app, 'Shop', { env: { account: '111122223333', region: 'eu-central-1' } });
    const vpc = new Vpc(stack, 'Vpc');
    const key = new Key(stack, 'Key', { enableKeyRotation: true });
    const cluster = new DatabaseCluster(stack, 'Cluster', {
      engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_16_4 }),
      parameters: { 'rds.force_ssl': '1' },
      writer: ClusterInstance.serverlessV2('Writer'),
      iamAuthentication: true,
      vpc: vpc as IVpc,
      credentials: { username: 'admin_user', encryptionKey: key },
    });
    cluster.addRotationSingleUser();
    const { secret } = cluster;
    const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    secret?.grantRead(role);
    new LambdaFunction(stack, 'Consumer', {
      runtime: Runtime.NODEJS_22_X,
      handler: 'index.handler',
      code: Code.fromInline('exports.handler = () => {}'),
      role,
      environment: { SECRET_ARN: secret?.secretArn ?? '' },
    });
    Validations.of(app).addPlugins(new RekeyPolicyValidation());
    expect(found(reportOf(app))).toEqual([]);
  });

  test("Rekey's own environments, from the configuration of the checkout", async () => {
    const { configuration, directory } = await loadConfiguration(join(packageRoot, 'rekey.config.ts'));
    const app = testApp();
    for (const [name, environment] of Object.entries(configuration.environments)) {
      new RekeyEnvironment(app, name, { configuration: environment, directory });
    }
    Validations.of(app).addPlugins(new RekeyPolicyValidation());
    const report = reportOf(app);
    expect(report.violations.filter(({ severity }) => severity === 'error')).toEqual([]);
  });
});

describe('with the CDK at the command line', () => {
  const cdk = async (...argv: string[]): Promise<{ code: number; output: string }> => {
    const folder = mkdtempSync(join(tmpdir(), 'rekey-cdk-'));
    folders.push(folder);
    const file = join(folder, 'app.ts');
    writeFileSync(
      file,
      `import { App, SecretValue, Stack, Validations } from '${packageRoot}/node_modules/aws-cdk-lib/index.js';
import { Secret } from '${packageRoot}/node_modules/aws-cdk-lib/aws-secretsmanager/index.js';
import { RekeyPolicyValidation } from '${packageRoot}/lib/index.ts';
const app = new App();
new Secret(new Stack(app, 'Shop'), 'Db', { secretStringValue: SecretValue.unsafePlainText('hunter22') });
Validations.of(app).addPlugins(new RekeyPolicyValidation());
`,
    );
    const { NODE_ENV: _, JEST_WORKER_ID: __, ...variables } = process.env;
    try {
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        [
          join(packageRoot, 'node_modules/aws-cdk/bin/cdk'),
          ...argv,
          '--app',
          `${process.execPath} ${file}`,
          '--output',
          join(folder, 'cdk.out'),
          '--no-notices',
          '--no-version-reporting',
        ],
        { cwd: folder, env: { ...variables, AWS_REGION: 'eu-central-1', CDK_DISABLE_CLI_TELEMETRY: 'true' } },
      );
      return { code: 0, output: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, output: stdout + stderr };
    }
  };

  test.each([
    ['synth', ['synth', '--quiet']],
    ['validate', ['validate', '--no-online', '--unstable=validate']],
  ])('cdk %s fails and shows the report', async (_, argv) => {
    const { code, output } = await cdk(...argv);
    expect(output).toContain('SecretString of secret Shop/Db holds its value in plain text');
    expect(output).toContain("Acknowledge with 'Rekey::SecretValueInTemplate'");
    expect(output).not.toContain('hunter22');
    expect(code).not.toBe(0);
  });
});
