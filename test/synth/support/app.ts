import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { RekeyBus } from '../../../lib/events/rekey-bus.ts';

/** The feature flags that the app is deployed with. */
const { context } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../cdk.json'), 'utf8')) as {
  context: Record<string, unknown>;
};

const assemblies: string[] = [];
afterAll(() => {
  for (const directory of assemblies) {
    rmSync(directory, { recursive: true, force: true });
  }
});

/**
 * An app as deployed, but for bundling, which has tests of its own.
 * @param flags - feature flags; default: those of the app
 * @param rules - whether the synth fails where a template breaks a rule of CloudFormation's. That takes longer than all the
 * rest of a small synth, so it is asked for where templates of all kinds are made: of every type, with every setting, and
 * of a thousand secrets.
 */
export function testApp({
  rules = false,
  flags = context,
}: {
  readonly rules?: boolean;
  readonly flags?: Readonly<Record<string, unknown>>;
} = {}): App {
  const outdir = mkdtempSync(join(tmpdir(), 'rekey-synth-'));
  assemblies.push(outdir);
  return new App({
    context: { ...flags, 'aws:cdk:bundling-stacks': [] },
    outdir,
    builtinCloudFormationValidation: rules,
  });
}

/** A stack with what most constructs need. */
export function testStack(): { stack: Stack; bus: RekeyBus; auditQueue: Queue } {
  const stack = new Stack(testApp(), 'test', { env: { account: '111122223333', region: 'eu-central-1' } });
  return {
    stack,
    bus: new RekeyBus(stack, 'Bus', { environment: 'test' }),
    auditQueue: new Queue(stack, 'AuditQueue', { fifo: true }),
  };
}

/** The statements of the one policy whose logical id matches, wildcards of its references left as they are. */
export function statements(
  template: { findResources(type: string): Record<string, unknown> },
  logicalId: RegExp,
): Statement[] {
  const found = Object.entries(template.findResources('AWS::IAM::Policy')).filter(([id]) =>
    logicalId.test(id),
  );
  if (found.length !== 1) {
    throw new Error(`${found.length} policies match ${logicalId}`);
  }
  const [, resource] = found[0] as [string, { Properties: { PolicyDocument: { Statement: Statement[] } } }];
  return resource.Properties.PolicyDocument.Statement;
}

/** The parameters that hold definitions of secrets, by logical id; what else an environment writes there is left out. */
export const definitionsIn = (template: Template): [string, { Properties: Record<string, never> }][] =>
  Object.entries(template.findResources('AWS::SSM::Parameter') as never).filter(([, parameter]) =>
    JSON.stringify((parameter as { Properties: { Name: unknown } }).Properties.Name).includes('/secrets/'),
  ) as never;

export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** Every action that is allowed, sorted. */
export const allowedActions = (all: readonly Statement[]): string[] =>
  [...new Set(all.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action))].sort();
