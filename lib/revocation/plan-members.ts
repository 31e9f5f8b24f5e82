import { Aws, Duration, Stack } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { coordinatorRole, memberRole, services } from '../../core/deployed/names.ts';
import { revocationMembersEnvironmentSchema } from '../../core/deployed/variables.ts';
import { acknowledgeWildcards } from '../access/acknowledge.ts';
import { StandardFunction } from '../function/standard-function.ts';
import { FunctionAlarms } from '../observation/function-alarms.ts';
import type { PlanStorage } from './plan-storage.ts';

/** An environment elsewhere whose secrets revocations of this one may be about. */
export interface MemberEnvironment {
  /** Name of its environment, there. */
  readonly environment: string;
  /** Account of 12 digits. */
  readonly account: string;
  readonly region: string;
  /** Name of the role that it has for its coordinator. @default - the one that Rekey creates there */
  readonly role?: string;
}

/** Props of {@link PlanMembers}. */
export interface PlanMembersProps {
  readonly environment: string;
  readonly members: Readonly<Record<string, MemberEnvironment>>;
  readonly storage: PlanStorage;
  readonly reservedConcurrency?: number | undefined;
  readonly alarmTopic?: ITopic | undefined;
}

/**
 * The one function that reaches environments elsewhere. Its role may assume the roles that these have for their coordinator, and
 * keep how their parts of plans ended. Its name is agreed on, since the members trust it by that name.
 */
export class PlanMembers extends Construct {
  readonly function: StandardFunction<typeof revocationMembersEnvironmentSchema>;
  /** The members as variables of functions hold them. */
  readonly variable: string;

  constructor(scope: Construct, id: string, props: PlanMembersProps) {
    super(scope, id);
    const { environment, storage, reservedConcurrency, alarmTopic } = props;
    const stack = Stack.of(this);
    const members = Object.entries(props.members).map(([name, { role, ...member }]) => {
      const roleName = role ?? memberRole(member.environment, member.region);
      return [
        name,
        { ...member, role: `arn:${Aws.PARTITION}:iam::${member.account}:role/${roleName}` },
      ] as const;
    });
    this.variable = stack.toJsonString(Object.fromEntries(members));
    this.function = new StandardFunction(this, 'Members', {
      entry: 'revocation-members',
      service: services.revocation,
      description: `Rekey ${environment}: has environments elsewhere run their parts of a revocation`,
      environmentSchema: revocationMembersEnvironmentSchema,
      roleName: coordinatorRole(environment, stack.region),
      environment: {
        REKEY_ENVIRONMENT: environment,
        REKEY_PLAN_BUCKET: storage.bucket.bucketName,
        REKEY_MEMBERS: this.variable,
      },
      timeout: Duration.minutes(1),
      ...(reservedConcurrency !== undefined && { reservedConcurrency }),
    });
    const { role } = this.function;
    const allow = (sid: string, actions: string[], resources: string[]) =>
      role.addToPolicy(new PolicyStatement({ sid, actions, resources }));
    const plans = storage.bucket.arnForObjects('plans/*');
    allow(
      'ReachMembers',
      ['sts:AssumeRole'],
      members.map(([, member]) => member.role),
    );
    allow('KeepEnds', ['s3:GetObject', 's3:PutObject'], [plans]);
    // Without it, S3 says of an end that is not there yet that reading it is denied.
    allow('FindEnds', ['s3:ListBucket'], [storage.bucket.bucketArn]);
    acknowledgeWildcards(role, [plans], 'The plans of the one bucket.');
    new FunctionAlarms(this, 'Alarms', {
      environment,
      function: this.function,
      service: services.revocation,
      runbook: 'revocation-function-errors',
      instance: 'members',
      ...(alarmTopic !== undefined && { topic: alarmTopic }),
    });
  }

  /** Lets a function ask the members through this one. */
  grantAsk(role: IRole): void {
    role.addToPrincipalPolicy(
      new PolicyStatement({
        sid: 'AskMembers',
        actions: ['lambda:InvokeFunction'],
        resources: [this.function.functionArn],
      }),
    );
  }
}
