import { expect, test } from '@jest/globals';
import { breachesIn, findBreaches } from '../../docs/walls/breaches.ts';

test('no import goes through a wall', () => {
  expect(findBreaches().map(({ message }) => message)).toEqual([]);
});

test.each([
  ['core/secret/x.ts', "import { y } from '../../rotators/registry.ts';", 'core/ may import no other room'],
  ['core/x.ts', "import { S3Client } from '@aws-sdk/client-s3';", 'through adapters/ only'],
  ['rotators/redis/x.ts', "import { y } from '../mysql/probe.ts';", 'rotators/redis/ may import'],
  ['rotators/redis/x.ts', "import { y } from '../registry.ts';", 'rotators/redis/ may import'],
  ['rotators/families/x.ts', "import type { y } from '../redis/schema.ts';", 'rotators/families/ may import'],
  ['adapters/x.ts', "export { y } from '../lambdas/rotation/lifecycle.ts';", 'adapters/ may import core'],
  ['adapters/x.ts', "import { y } from './operator/workflows.ts';", 'adapters/ may import core'],
  [
    'lambdas/functions/x.ts',
    "import { y } from '../../adapters/operator/workflows.ts';",
    'but not adapters/operator',
  ],
  ['lambdas/rotation/x.ts', "import { y } from '../functions/chain.ts';", 'lambdas/rotation/ may import'],
  ['lambdas/audit/x.ts', "import { y } from '../../adapters/audit-store.ts';", 'lambdas/audit/ may import'],
  ['lambdas/audit/x.ts', "import { SQSClient } from '@aws-sdk/client-sqs';", 'through adapters/ only'],
  ['lib/config/x.ts', "import { Duration } from 'aws-cdk-lib';", 'runs without the CDK'],
  ['lib/config/x.ts', "import { y } from '../function/bundle.ts';", 'lib/config/ may import'],
  ['lib/rotation/x.ts', "const y = await import('../../rotators/mysql/rotator.ts');", 'lib/ may import'],
  ['lib/audit/x.ts', "import type { y } from '../../lambdas/audit/writer.ts';", 'lib/ may import'],
  ['cli/x.ts', "import { y } from '../lib/function/bundle.ts';", 'cli/ may import'],
  ['cli/commands/x.ts', "import 'constructs';", 'runs without the CDK'],
])('in %s, %s is refused', (file, text, message) => {
  expect(breachesIn(file, text).map((breach) => breach.message)).toEqual([expect.stringContaining(message)]);
});

test.each([
  ['rotators/elasticache/x.ts', "import { y } from '../redis/connection.ts';"],
  ['lib/rotation/x.ts', "import { y } from '../config/schema.ts';"],
  ['adapters/operator/x.ts', "import { y } from '../aws-error.ts';"],
  ['lambdas/functions/x.ts', "import { y } from '../../adapters/system.ts';"],
  ['test/core/x.ts', "import { y } from '../../rotators/mysql/probe.ts';"],
])('in %s, %s is allowed', (file, text) => {
  expect(breachesIn(file, text)).toEqual([]);
});
