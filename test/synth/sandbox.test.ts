import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { SandboxStack } from '../../examples/sandbox/app.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { testApp } from './support/app.ts';

const directory = mkdtempSync(join(tmpdir(), 'rekey-sandbox-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('the sandbox is a database with the Data API, and what it outputs is what its configuration of Rekey reads', async () => {
  const template = Template.fromStack(new SandboxStack(testApp({ rules: true }), 'rekey-sandbox'));
  template.hasResourceProperties('AWS::RDS::DBCluster', {
    EnableHttpEndpoint: true,
    ManageMasterUserPassword: true,
  });
  const outputs = Object.keys(template.findOutputs('*'));
  const samples: Record<string, string> = {
    VpcId: 'vpc-0a1b2c3d4e5f60718',
    SubnetIds: 'subnet-0a1b2c3d4e5f60718,subnet-0b1c2d3e4f5a60718',
    Cidr: '10.0.0.0/16',
    Host: 'sandbox.cluster-c0.eu-central-1.rds.amazonaws.com',
    ClusterArn: 'arn:aws:rds:eu-central-1:111122223333:cluster:sandbox',
    AdminSecretArn:
      'arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!cluster-5a4f6e2c-1b3d-AbCdEf',
  };
  const file = join(directory, 'sandbox.json');
  const given = Object.fromEntries(outputs.map((name) => [name, samples[name]]));
  writeFileSync(file, JSON.stringify({ 'rekey-sandbox': given }));
  process.env.REKEY_SANDBOX_OUTPUTS = file;
  const { default: configuration } = await import('../../examples/sandbox/rekey.config.ts');
  const settings = configuration.environments.sandbox;
  if (settings === undefined) throw new Error('no environment');
  const app = testApp({ rules: true });
  new RekeyEnvironment(app, 'sandbox', { configuration: settings, directory });
  expect(() => app.synth()).not.toThrow();
});
