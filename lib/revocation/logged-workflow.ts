import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  DefinitionBody,
  type IChainable,
  LogLevel,
  StateMachine,
  StateMachineType,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { services } from '../../core/deployed/names.ts';
import type { Approvals } from '../approval/approvals.ts';
import { grantOnFunctions } from '../function/grant-by-tag.ts';

/** The parts in which the workflows of revocations differ. */
export interface LoggedWorkflowProps {
  readonly environment: string;
  readonly states: IChainable;
  /** Deed of the workflow, such as `revokes a credential and proves it`. */
  readonly does: string;
  /** Name of its log behind that of the environment, such as `revocation`. */
  readonly log: string;
  readonly timeout: Duration;
  readonly logRetention?: RetentionDays | undefined;
  readonly approvals?: Approvals | undefined;
}

/** Creates a workflow of revocations. It has a trace and a log, and may have credentials cut off and people approve. */
export function loggedWorkflow(scope: Construct, props: LoggedWorkflowProps): StateMachine {
  const { environment, approvals } = props;
  const machine = new StateMachine(scope, 'Workflow', {
    stateMachineType: StateMachineType.STANDARD,
    comment: `Rekey ${environment}: ${props.does}`,
    definitionBody: DefinitionBody.fromChainable(props.states),
    timeout: props.timeout,
    tracingEnabled: true,
    logs: {
      destination: new LogGroup(scope, 'WorkflowLogs', {
        // The prefix keeps the resource policy that Step Functions needs within its size.
        logGroupName: `/aws/vendedlogs/states/rekey-${environment}-${props.log}`,
        retention: props.logRetention ?? RetentionDays.ONE_YEAR,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      level: LogLevel.ALL,
      // The state holds no secret; who and what was concerned stands in the audit log, for its readers.
      includeExecutionData: false,
    },
  });
  grantOnFunctions(machine.role, {
    sid: 'Contain',
    actions: ['lambda:InvokeFunction'],
    environment,
    service: services.containment,
  });
  approvals?.connect(machine);
  return machine;
}
