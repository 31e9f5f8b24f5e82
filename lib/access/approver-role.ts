import { Effect, type IGrantable, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { services, serviceTag } from '../../core/deployed/names.ts';
import type { DetailType } from '../../core/events/catalogue.ts';
import { AccessRole, type AccessRoleProps } from './access-role.ts';

/** The approvals that an {@link ApproverRole} answers. */
export interface AnsweredApprovals {
  /**
   * Lets the sessions of a role read requests that wait for an approval, and answer them. Every grant goes to the grantee, so
   * that the role's boundary permits it too.
   */
  grantAnswer(role: IRole, grantee: IGrantable): unknown;
}

/** Props of {@link ApproverRole}. */
export interface ApproverRoleProps extends AccessRoleProps {
  /** Requests that the approver reads and answers. @default - none; the role reads definitions and facts of the deployment */
  readonly approvals?: AnsweredApprovals;
}

/** Requests that an approver answers, and so never makes. */
const requests: readonly DetailType[] = ['Secret Revocation Requested'];

/**
 * A role that answers requests of others. It cannot make one, rotate, revoke, author policy, or read a value, whatever is
 * attached to it later.
 *
 * @example
 * new ApproverRole(this, 'Approver', { environment: 'prod', principals: ['111122223333'] });
 */
export class ApproverRole extends AccessRole {
  constructor(scope: Construct, id: string, props: ApproverRoleProps) {
    super(scope, id, props, 'answers requests of others');
    const deny = (sid: string, actions: string[], conditions = {}) =>
      new PolicyStatement({ sid, effect: Effect.DENY, actions, resources: ['*'], conditions });
    for (const statement of [
      deny('NoRequests', ['events:PutEvents'], { StringEquals: { 'events:detail-type': [...requests] } }),
      deny('NoWorkOfOthers', [
        'cloudformation:CreateChangeSet',
        'cloudformation:ExecuteChangeSet',
        'secretsmanager:RotateSecret',
        'secretsmanager:UpdateSecretVersionStage',
        'states:StartExecution',
      ]),
      deny('NoFunctionsOfOthers', ['lambda:InvokeFunction'], {
        StringEquals: { [`aws:ResourceTag/${serviceTag}`]: [services.rotation, services.containment] },
      }),
    ]) {
      this.boundary.add(statement);
      this.role.addToPolicy(statement.copy());
    }
    props.approvals?.grantAnswer(this.role, this.grantee);
  }
}
