import { ArnFormat, Aws, Duration, Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { AccountPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Coordination } from '../../core/deployed/coordination.ts';
import {
  coordinatorRole,
  coordinatorSource,
  deploymentParameters,
  deploymentPath,
  memberRole,
} from '../../core/deployed/names.ts';
import { acknowledgeWildcards } from '../access/acknowledge.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { writeDeploymentParameters } from '../foundation/deployment-parameters.ts';

/** The environment whose revocations may be about secrets of this one. */
export interface CoordinatorEnvironment {
  /** Name of its environment, there. */
  readonly environment: string;
  /** Account of 12 digits. */
  readonly account: string;
  readonly region: string;
}

/** Props of {@link CoordinationRole}. */
export interface CoordinationRoleProps {
  readonly bus: IRekeyBus;
  readonly coordinator: CoordinatorEnvironment;
  readonly preview: IFunction;
  readonly planWorkflow: StateMachine;
  readonly table: Table;
  readonly intakeLogGroup: ILogGroup;
}

/**
 * The role that a member has for its coordinator. It asks for plans, puts requests on the bus as a coordinator, and reads what came
 * of them. It reads no secret, and changes nothing by itself.
 */
export class CoordinationRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string, props: CoordinationRoleProps) {
    super(scope, id);
    const { bus, coordinator, preview, planWorkflow, table, intakeLogGroup } = props;
    const { environment } = bus;
    const stack = Stack.of(this);
    const asker = `arn:${Aws.PARTITION}:iam::${coordinator.account}:role/${coordinatorRole(coordinator.environment, coordinator.region)}`;
    this.role = new Role(this, 'Role', {
      roleName: memberRole(environment, stack.region),
      description: `Rekey ${environment}: has the coordinator ${coordinator.environment} ask for revocations here`,
      // Named by a condition, and not as the principal: that would hold the id of a role, which need not be there yet, and gets a
      // new one when it is made again. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
      assumedBy: new AccountPrincipal(coordinator.account).withConditions({
        ArnEquals: { 'aws:PrincipalArn': asker },
      }),
      maxSessionDuration: Duration.hours(1),
    });
    const executions = stack.formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${planWorkflow.stateMachineName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const places = stack.formatArn({
      service: 'ssm',
      resource: 'parameter',
      resourceName: `${deploymentPath(environment)}/${deploymentParameters.coordination}`.slice(1),
    });
    const allow = (sid: string, action: string, resource: string) =>
      this.role.addToPolicy(new PolicyStatement({ sid, actions: [action], resources: [resource] }));
    allow('FindPlaces', 'ssm:GetParameter', places);
    allow('AskForPlan', 'lambda:InvokeFunction', preview.functionArn);
    allow('LookAtPlan', 'states:DescribeExecution', executions);
    allow('ReadOutcomes', 'dynamodb:Query', table.tableArn);
    allow('ReadRejections', 'logs:FilterLogEvents', intakeLogGroup.logGroupArn);
    bus.grantPublish(this.role, coordinatorSource, ['Secret Revocation Requested']);
    acknowledgeWildcards(
      this.role,
      [executions, intakeLogGroup.logGroupArn],
      'The executions of the one workflow; and the ARN of a log group, which ends so.',
    );
    const facts: Coordination = {
      previewFunction: preview.functionName,
      bus: bus.eventBus.eventBusName,
      planWorkflow: planWorkflow.stateMachineArn,
      table: table.tableName,
      intakeLogGroup: intakeLogGroup.logGroupName,
    };
    writeDeploymentParameters(this, environment, {
      [deploymentParameters.coordination]: stack.toJsonString(facts),
    });
  }
}
