import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Configuration } from '../../lib/config/schema.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import example from '../../rekey.config.ts';
import { testApp } from './support/app.ts';
import { everything } from './support/everything.ts';

/**
 * What CloudFormation knows resources by must stay, or an upgrade of Rekey would delete one and make another: a secret's
 * schedule would be cancelled, a log would begin anew. `frozen.json` holds stack names, logical ids and physical names;
 * `REKEY_FREEZE=1 npm run test:synth -- --testPathPatterns frozen` adds new ones. What is in it never changes.
 */
const file = join(import.meta.dirname, 'frozen.json');

/** A logical id with its type, and its physical name where the template gives one. */
type Frozen = Readonly<Record<string, Readonly<Record<string, string>>>>;

const nameProperties = [
  'AlarmName',
  'ArchiveName',
  'BucketName',
  'DashboardName',
  'FunctionName',
  'LogGroupName',
  'ManagedPolicyName',
  'Name',
  'QueueName',
  'RoleName',
  'SecretId',
  'StateMachineName',
  'TopicName',
];

function identities(configuration: Configuration, name: string): Frozen {
  const settings = configuration.environments[name];
  if (settings === undefined) throw new Error(`no environment ${name}`);
  const app = testApp();
  new RekeyEnvironment(app, name, { configuration: settings, directory: import.meta.dirname });
  return Object.fromEntries(
    app.synth().stacks.map(({ stackName, template }) => [
      stackName,
      Object.fromEntries(
        Object.entries<{ Type: string; Properties?: Record<string, unknown> }>(template.Resources ?? {})
          .filter(([, { Type }]) => Type !== 'AWS::CDK::Metadata')
          .map(([id, { Type, Properties = {} }]) => {
            const named = nameProperties
              .filter((property) => typeof Properties[property] === 'string')
              .map((property) => `${property}=${String(Properties[property])}`);
            return [id, [Type, ...named].join(' ')];
          })
          .sort(([one], [other]) => String(one).localeCompare(String(other))),
      ),
    ]),
  );
}

const now: Frozen = {
  ...identities(example, 'dev'),
  ...identities(example, 'prod'),
  ...identities(everything, 'full'),
};

test('no stack, logical id or physical name that was released is gone or has become something else', () => {
  const frozen: Frozen = JSON.parse(readFileSync(file, 'utf8'));
  if (process.env.REKEY_FREEZE === '1') {
    const all = Object.fromEntries(
      Object.entries(now).map(([stack, ids]) => [stack, { ...ids, ...frozen[stack] }]),
    );
    writeFileSync(file, `${JSON.stringify({ ...frozen, ...all }, null, 2)}\n`);
  }
  for (const [stack, ids] of Object.entries(frozen)) {
    expect({ stack, ...now[stack] }).toMatchObject({ stack, ...ids });
  }
});

test('everything that is deployed is in the file, so that it stays', () => {
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(now);
});
