import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/function/bundle.ts';

/** What the examples of the constructs take from the app that they stand in. */
const app = `
import { App, Duration, type Stack, Validations } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import type { TaskDefinition } from 'aws-cdk-lib/aws-ecs';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { DatabaseCluster } from 'aws-cdk-lib/aws-rds';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { join } from 'node:path';
import * as z from 'zod';
declare const vpc: IVpc;
declare const cluster: DatabaseCluster;
declare const toDatabase: ISecurityGroup;
declare const encryptionKey: IKey;
declare const host: string;
declare const ordersTask: TaskDefinition;
declare const redeploy: IFunction;
declare const securityTooling: IRole;
declare const responderRole: IRole;
declare const approverRole: IRole;
declare const bucket: IBucket;
declare const bus: RekeyBus;
declare const log: AuditLog;
declare const orders: RotatedSecret;
declare const rotation: RotationFunction;
declare const containment: ContainmentFunction;`;

/** What other examples take from around them, by the file. */
const others: Readonly<Record<string, string>> = {
  'core/trail/file.ts': `
import { secretsRead } from 'ROOT/core/trail/deeds.ts';
declare const file: AsyncIterable<Uint8Array>;`,
  'core/audit/recorded-event.ts': `
import type { AuditRecord } from 'ROOT/core/audit/format.ts';
declare const record: AuditRecord;`,
  'core/incident/incident-course.ts': `
import type { AuditRecord } from 'ROOT/core/audit/format.ts';
declare const records: readonly AuditRecord[];`,
  'core/page/html.ts': `
declare const title: string;
declare const text: string;`,
  'core/page/page.ts': `
import { html } from 'ROOT/core/page/html.ts';`,
  'core/revocation/plan.ts': `
import { secretGraph } from 'ROOT/core/revocation/graph.ts';
import type { SecretDefinition } from 'ROOT/core/secret/definition.ts';
declare const definitions: readonly SecretDefinition[];`,
  'core/audit/format.ts': `
import type { AuditEvent } from 'ROOT/core/audit/format.ts';
declare const events: readonly AuditEvent[];`,
  'core/iam/evaluate.ts': `
import type { Policy } from 'ROOT/core/iam/document.ts';
import type { Principal } from 'ROOT/core/iam/request.ts';
declare const principal: Principal;
declare const secretArn: string;
declare const rolePolicy: Policy;
declare const secretPolicy: Policy;`,
  'core/policy/compare.ts': `
import type { EnvironmentFacts } from 'ROOT/core/policy/facts.ts';
declare const before: EnvironmentFacts;
declare const after: EnvironmentFacts;`,
  'core/policy/detect.ts': `
import { usualDetection } from 'ROOT/core/policy/demands.ts';`,
  'core/policy/examine.ts': `
import type { EnvironmentFacts } from 'ROOT/core/policy/facts.ts';
declare const environments: readonly EnvironmentFacts[];`,
  'core/template/check.ts': `
import { readCloudFormation } from 'ROOT/core/template/cloudformation.ts';
declare const json: Readonly<Record<string, unknown>>;`,
  'core/audit/verify.ts': `
import type { AuditLogSource } from 'ROOT/core/audit/verify.ts';
declare const source: AuditLogSource;`,
  'core/events/create.ts': `
import type { EventOrigin } from 'ROOT/core/events/create.ts';
declare const origin: EventOrigin;
declare const previousVersionId: string;
declare const versionId: string;
declare const rotated: Parameters<typeof createEvent<'Secret Rotation Started'>>[2];`,
  'cli/recorded-event.ts': `
import type { AuditRecord } from 'ROOT/core/audit/format.ts';
declare const record: AuditRecord;`,
  'cli/run.ts': `
import type { CliContext } from 'ROOT/cli/context.ts';
declare const context: CliContext;`,
  'lambdas/functions/standard-handler.ts': `
import type { Logger } from '@aws-lambda-powertools/logger';
interface RotationEvent { readonly Step: string }
declare function rotate(event: RotationEvent, logger: Pick<Logger, 'info'>): Promise<void>;`,
  'lambdas/functions/containment.ts': `
import { rotator } from 'ROOT/rotators/postgresql/rotator.ts';`,
  'lambdas/functions/rotation.ts': `
import { rotator } from 'ROOT/rotators/postgresql/rotator.ts';`,
  'rotators/iam-access-key/session-cutoff-call.ts': `
import { createIamAccessKey } from 'ROOT/rotators/iam-access-key/rotator.ts';`,
};

/** Lists the values and classes that a module exports. */
function exportsOf(file: string): string[] {
  const text = readFileSync(join(packageRoot, file), 'utf8');
  const declared = [...text.matchAll(/^export (?:abstract )?(?:async )?(?:class|const|function\*?) (\w+)/gm)];
  const listed = [...text.matchAll(/^export \{([^}]*)\} from/gm)].flatMap(([, names = '']) => [
    ...names.matchAll(/(?<!type )\b(?!type\b)(\w+)(?=,|\s|$)/g),
  ]);
  return [...declared, ...listed].map(([, name = '']) => name);
}

/**
 * Writes what stands before the examples of a file. An example of the constructs has what the package exports, and any other
 * one what its own file exports.
 * @param root - path of the checkout from the module's folder
 */
export function preludeOf(file: string, root: string): string {
  const constructs = file.startsWith('lib/');
  const from = constructs ? 'lib/index.ts' : file;
  const text = constructs ? app : `import type { Stack } from 'aws-cdk-lib';${others[file] ?? ''}`;
  const own = `import { ${exportsOf(from).join(', ')} } from '${root}/${from}';`;
  return `${own}${text.replaceAll('ROOT', root)}`;
}
