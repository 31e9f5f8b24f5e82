import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defineConfig } from '../../../lib/config/config.ts';
import type { ConfigurationInput, SecretInput } from '../../../lib/config/schema.ts';
import { demandsOf } from '../../../lib/config/shards/capacity.ts';
import { recordedShards } from '../../../lib/config/shards/record.ts';
import { RekeyEnvironment } from '../../../lib/rekey-environment.ts';
import { testApp } from '../support/app.ts';
import { account, environmentAt, region, steps } from './samples.ts';
import { type Deployment, deploymentOf, touched } from './untouched.ts';

type Environment = ConfigurationInput['environments'][string];

const directory = mkdtempSync(join(tmpdir(), 'rekey-changes-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const shardFile = join(directory, 'rekey.shards.json');

/** Checks an environment as the app does, after what was checked before. */
function check(input: Environment, nothingDeployed = false) {
  const { dev } = defineConfig({ environments: { dev: input } }).environments;
  if (dev === undefined) throw new Error('no environment dev');
  const shards = recordedShards(shardFile, demandsOf('dev', dev), { environment: 'dev', nothingDeployed });
  return { configuration: dev, directory, shards };
}

/** What the app deploys of an environment. */
const deploy = (input: Environment, nothingDeployed: boolean): Deployment =>
  deploymentOf(
    new RekeyEnvironment(testApp({ rules: true }), 'dev', check(input, nothingDeployed)),
    account,
    region,
  );

describe('a change of any field touches no secret that is deployed', () => {
  const deployments: Deployment[] = [];
  beforeAll(() => {
    for (let step = 0; step < steps; step += 1) deployments.push(deploy(environmentAt(step), step === 0));
  });

  test.each(Array.from({ length: steps - 1 }, (_, step) => step))(
    'from configuration %i to the next',
    (step) => {
      const [before, after] = [deployments[step], deployments[step + 1]];
      if (before === undefined || after === undefined) throw new Error('not configured');
      expect(touched(before, after)).toEqual([]);
    },
  );
});

describe('a change that no deploy could make, or that would rotate a credential in use, is refused at synth', () => {
  const secret = { type: 'postgresql', strategy: 'single-user', owner: 'team-orders' } as const;
  const fields = { engine: 'postgres', username: 'orders', host: 'db.internal' };
  const environment = (orders: object): Environment => ({
    audit: { retentionDays: 1 },
    secrets: { orders: { ...secret, ...orders } as SecretInput },
  });
  const deployed = (orders: object) => {
    rmSync(shardFile, { force: true });
    check(environment(orders));
  };

  test('an adopted secret that is to be created', () => {
    deployed({ adopt: '/dev/orders' });
    expect(() => check(environment({ create: { name: 'orders', fields } }))).toThrow(
      /\/dev\/orders was adopted, so it exists, .* aws secretsmanager put-secret-value/,
    );
    // It is refused as long as the file says so, also when it was taken out meanwhile.
    check({ audit: { retentionDays: 1 } });
    expect(() => check(environment({ create: { name: 'orders', fields } }))).toThrow('was adopted');
  });

  test('a created secret that is adopted is not, and cannot become a created one again', () => {
    deployed({ create: { name: 'orders', fields } });
    check(environment({ adopt: '/dev/orders' }));
    expect(() => check(environment({ create: { name: 'orders', fields } }))).toThrow('was adopted');
  });

  test('an adopted secret that was deployed and is to rotate at the deploy now', () => {
    deployed({ adopt: 'orders' });
    expect(() => check(environment({ adopt: 'orders', rotateOnDeploy: true }))).toThrow(
      'rekey secret rotate orders --wait',
    );
    deployed({ adopt: 'orders', rotateOnDeploy: true });
    check(environment({ adopt: 'orders', rotateOnDeploy: true }));
    check(environment({ adopt: 'orders' }));
    expect(() => check(environment({ adopt: 'orders', rotateOnDeploy: true }))).toThrow(
      'rekey secret rotate',
    );
  });
});
