import { CloudFormationClient, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { AttachRolePolicyCommand, DetachRolePolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { DeleteParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  brakesPath,
  busName,
  deploymentPath,
  environmentTag,
  serviceTag,
} from '../../core/deployed/names.ts';
import { type Attempt, attempts, type Sought } from '../../docs/access/actions.ts';
import { peopleNames } from '../../docs/access/actors.ts';
import { account, type Environment, region } from '../../docs/access/deployment.ts';
import { type Answer, accessMatrix } from '../../docs/access/matrix.ts';
import { deployedRoles, environmentName } from '../../local/tour/deployment.ts';
import { deployStack, nodeFunction, role, type TestStack } from '../local/support/stack.ts';
import { passes } from './matrix-calls.ts';
import type { World } from './world.ts';

/** Another environment of the account, of which there is what the matrix asks about. */
const elsewhere = 'test';

/** Names of the roles as the matrix has them, in the order of {@link deployedRoles}. */
const names: readonly string[] = peopleNames;

const secret = (environment: string, name: string, tagged: boolean) => ({
  Type: 'AWS::SecretsManager::Secret',
  Properties: {
    Name: `/${environment}/${name}`,
    SecretString: '{}',
    Tags: tagged ? [{ Key: environmentTag, Value: environment }] : [],
  },
});

const tags = (service: string) => ({
  Tags: [
    { Key: environmentTag, Value: elsewhere },
    { Key: serviceTag, Value: service },
  ],
});

/**
 * Resources that are there for the matrix alone: a secret of the environment, one that it does not tag, a role to assume or to
 * widen, and those of the other environment.
 */
const standIns = (accountId: string) => ({
  Own: secret(environmentName, 'matrix', true),
  OwnAdopted: secret(environmentName, 'matrix-adopted', false),
  Other: secret(elsewhere, 'matrix', true),
  OtherAdopted: secret(elsewhere, 'matrix-adopted', false),
  Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: busName(elsewhere) } },
  Fact: {
    Type: 'AWS::SSM::Parameter',
    Properties: { Name: `${deploymentPath(elsewhere)}/event-bus`, Type: 'String', Value: busName(elsewhere) },
  },
  Bucket: { Type: 'AWS::S3::Bucket', Properties: {} },
  Queue: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true, QueueName: 'matrix.fifo' } },
  Worker: role('lambda.amazonaws.com'),
  Rotation: nodeFunction('exports.handler = async () => {};', 'Worker', tags('rotation')),
  Containment: nodeFunction('exports.handler = async () => {};', 'Worker', tags('containment')),
  Machine: {
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: {
      RoleArn: { 'Fn::GetAtt': ['Worker', 'Arn'] },
      DefinitionString: JSON.stringify({ StartAt: 'End', States: { End: { Type: 'Succeed' } } }),
    },
  },
  One: {
    Type: 'AWS::IAM::Role',
    Properties: {
      RoleName: 'one',
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' }],
      },
    },
  },
});

/** The stand-in of the other environment for what the matrix finds in a stack. */
const otherOf = ({ type, id }: Sought): string =>
  ({
    'AWS::Lambda::Function': id.source.startsWith('^Rotation') ? 'RotationArn' : 'ContainmentArn',
    'AWS::StepFunctions::StateMachine': 'MachineRef',
    'AWS::S3::Bucket': 'BucketRef',
    'AWS::SQS::Queue': 'QueueArn',
  })[type] ?? '';

/** Each role tries everything that the page on access answers, and IAM of the local cloud answers as the evaluator does. */
export function matrix(world: () => World): void {
  describe('the access matrix on the local cloud', () => {
    let answers: readonly Answer[];
    let others: TestStack;
    const deployed = new Map<string, string>();
    beforeAll(async () => {
      answers = accessMatrix();
      const { cloud, credentials } = world();
      others = await deployStack(cloud, 'matrix', standIns(cloud.accountId));
      const stacks = new CloudFormationClient(cloud.clientOptions(credentials.administrator));
      const sought = attempts.flatMap(({ on }) => {
        const found = on(environmentName as Environment);
        return typeof found === 'string' ? [] : [found];
      });
      for (const stack of new Set(sought.map((one) => one.stack))) {
        let NextToken: string | undefined;
        do {
          const page = await stacks.send(new ListStackResourcesCommand({ StackName: stack, NextToken }));
          for (const one of page.StackResourceSummaries ?? []) {
            deployed.set(
              `${stack} ${one.ResourceType} ${one.LogicalResourceId}`,
              one.PhysicalResourceId ?? '',
            );
          }
          NextToken = page.NextToken;
        } while (NextToken !== undefined);
      }
    });
    afterAll(async () => {
      const { cloud, credentials } = world();
      const ssm = new SSMClient(cloud.clientOptions(credentials.administrator));
      await ssm
        .send(new DeleteParameterCommand({ Name: `${brakesPath(environmentName)}/one` }))
        .catch(() => {});
      await others?.destroy();
    });

    /** ARN of what an attempt is about, in the environment or in the other one. */
    const placeOf = ({ on, guardedBy }: Attempt, environment: string): string => {
      const found = on(environment as Environment);
      const { cloud } = world();
      if (typeof found !== 'string') {
        if (environment === elsewhere) return others.outputs[otherOf(found)] ?? '';
        const [, id = ''] =
          [...deployed].find(([key]) => {
            const [stack, type, logical = ''] = key.split(' ');
            return stack === found.stack && type === found.type && found.id.test(logical);
          }) ?? [];
        if (found.type === 'AWS::SQS::Queue') {
          return `arn:aws:sqs:${cloud.region}:${cloud.accountId}:${id.split('/').at(-1)}`;
        }
        return id;
      }
      if (guardedBy === 'secret') {
        const adopted = !found.includes(`:/${environment}/`);
        const own = environment === environmentName ? 'Own' : 'Other';
        return others.outputs[`${own}${adopted ? 'Adopted' : ''}Ref`] ?? '';
      }
      return found.replace(account, cloud.accountId).replace(region, cloud.region);
    };

    const tried = async (name: (typeof deployedRoles)[number], environment: string): Promise<string[]> => {
      const { cloud, credentials, request } = world();
      const options = cloud.clientOptions(credentials[name]);
      const answered = attempts.map(async (attempt) => {
        const on = placeOf(attempt, environment);
        if (on === '') throw new Error(`${attempt.what}: nothing to try it on in ${environment}`);
        const context = attempt.context?.(environment as Environment) ?? {};
        const detail = request({ select: { secret: '/dev/nobody' } });
        return (await passes(options, { action: attempt.action, on, context, detail })) ? [attempt.what] : [];
      });
      return (await Promise.all(answered)).flat();
    };
    const evaluated = (index: number, where: 'own' | 'elsewhere') =>
      answers
        .filter(({ actor, ...answer }) => actor === names[index] && answer[where])
        .map(({ attempt }) => attempt.what);

    const asEvaluated = async () => {
      for (const [index, name] of deployedRoles.entries()) {
        expect([name, await tried(name, environmentName)]).toEqual([name, evaluated(index, 'own')]);
        expect([name, await tried(name, elsewhere)]).toEqual([name, evaluated(index, 'elsewhere')]);
      }
    };

    test('an administrator passes everywhere, so that a refusal is of the role', async () => {
      const { cloud, credentials, request } = world();
      const options = cloud.clientOptions(credentials.administrator);
      const refused: string[] = [];
      for (const attempt of attempts.filter(({ guardedBy }) => guardedBy !== 'bucket')) {
        if (/delete|Delete/.test(attempt.action)) continue;
        const on = placeOf(attempt, elsewhere);
        const context = attempt.context?.(elsewhere) ?? {};
        const call = { action: attempt.action, on, context, detail: request({}) };
        if (!(await passes(options, call))) refused.push(attempt.what);
      }
      expect(refused).toEqual([]);
    });

    test('each role may do what the evaluator says, in its environment and in another one', asEvaluated);

    test('the same with an administrator’s policy attached: the boundaries hold', async () => {
      const { cloud, credentials, roles } = world();
      const iam = new IAMClient(cloud.clientOptions(credentials.administrator));
      const attachments = Object.values(roles).map((arn) => ({
        RoleName: arn.split('/').at(-1) ?? '',
        PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
      }));
      for (const attachment of attachments) await iam.send(new AttachRolePolicyCommand(attachment));
      try {
        await asEvaluated();
      } finally {
        for (const attachment of attachments) await iam.send(new DetachRolePolicyCommand(attachment));
      }
    });
  });
}
