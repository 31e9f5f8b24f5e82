import { ArnFormat, Stack, Tags } from 'aws-cdk-lib';
import {
  AccountPrincipal,
  type AddToPrincipalPolicyResult,
  AnyPrincipal,
  ArnPrincipal,
  CompositePrincipal,
  Effect,
  type IGrantable,
  type IPrincipal,
  PolicyStatement,
  type PrincipalBase,
  PrincipalWithConditions,
  Role,
} from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { definitionsPath, deploymentPath, environmentTag, ownerTag } from '../../core/deployed/names.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { type SessionName, sessionNamed } from '../../core/iam/session-name.ts';
import { ownerOfCaller } from '../secret/grant-on-secrets.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import { RoleBoundary } from './role-limits.ts';

/** Props that the roles of people have in common. */
export interface AccessRoleProps {
  readonly environment: string;
  /**
   * Account ids, and ARNs of roles or users, that may assume the role. An account id lets in whomever that account's
   * administrators allow. `*` in a role's name matches the generated names of IAM Identity Center.
   */
  readonly principals: readonly [string, ...string[]];
  /**
   * Key of IAM that the name of a session must equal. A caller then has one name alone, by which a second person is told from the
   * first.
   * @default - the caller chooses the name
   */
  readonly sessionName?: SessionName;
  /**
   * True if callers may bring their own tag `rekey:owner` into the session. Where their identity provider marks it as transitive,
   * it comes along, and STS refuses the session otherwise.
   * @default false
   */
  readonly mayCarryOwner?: boolean;
}

/** Props of the roles that may be divided by the owners of the secrets. */
export interface OwnedAccessRoleProps extends AccessRoleProps {
  /**
   * True if whoever assumes the role acts for one owner's secrets alone. The tag `rekey:owner` of the session names the owner.
   * Principals may pass that tag only as they have it themselves, and without it they may act on no secret.
   * @default false
   */
  readonly byOwner?: boolean;
}

/** A role for people and pipelines. None of them can read a secret's value or do another's work. */
export abstract class AccessRole extends Construct {
  readonly role: Role;
  /** Boundary of the role: whatever is attached to it later, it may do no more than this allows. */
  protected readonly boundary: RoleBoundary;
  /** The role, for grants that its boundary permits as well. A grant to `role` itself is worth what the boundary leaves of it. */
  readonly grantee: IGrantable;

  constructor(scope: Construct, id: string, props: OwnedAccessRoleProps, description: string) {
    super(scope, id);
    const principals = props.principals.map((principal) => trusted(this, principal));
    const [first, ...others] = principals.map((principal) => named(principal, props.sessionName));
    if (first === undefined) {
      throw new RekeyError(
        'ConstructInvalid',
        `${id}: needs at least one principal that may assume the role`,
      );
    }
    this.role = new Role(this, 'Role', {
      description: `Rekey ${props.environment}: ${description}`,
      assumedBy: others.length === 0 ? first : new CompositePrincipal(first, ...others),
    });
    Tags.of(this.role).add(environmentTag, props.environment);
    if (props.byOwner === true || props.mayCarryOwner === true) passOwner(this.role, props, principals);
    this.boundary = new RoleBoundary(this.role, props.environment);
    this.grantee = { grantPrincipal: within(this.role, this.boundary) };
    const parameters = this.parameters(props);
    this.allow('Definitions', ['ssm:GetParameter', 'ssm:GetParametersByPath'], parameters);
    acknowledgeWildcards(
      this.role,
      parameters.filter((arn) => arn.endsWith('/*')),
      'The parameters below these paths of the environment hold names and settings only.',
    );
  }

  /** Allows the role this, within its boundary. */
  protected allow(
    sid: string,
    actions: string[],
    resources: string[],
    conditions: Record<string, Record<string, string>> = {},
  ): void {
    this.grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ sid, actions, resources, conditions }),
    );
  }

  /** Lets the role ask which secret holds a value, by the value's hash. */
  protected mayLookUp(lookup: IFunction | undefined): void {
    if (lookup !== undefined) {
      this.allow('LookUpFingerprints', ['lambda:InvokeFunction'], [lookup.functionArn]);
    }
  }

  /**
   * Lists the ARNs of an environment's parameters. Reading by path asks for the path itself, reading by name for what is below.
   */
  private parameters({ environment }: AccessRoleProps): string[] {
    return [definitionsPath(environment), deploymentPath(environment)].flatMap((path) => {
      const arn = Stack.of(this).formatArn({
        service: 'ssm',
        resource: 'parameter',
        resourceName: path.slice(1),
      });
      return [arn, `${arn}/*`];
    });
  }
}

/**
 * Lets the principals pass their own tag of an owner to the session, and no other owner. The tag of the environment they may not
 * pass: it decides which environment's secrets are closed to the session, and a session's tag goes before the role's.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
 */
function passOwner(role: Role, { environment }: AccessRoleProps, principals: readonly PrincipalBase[]): void {
  for (const principal of principals) {
    role.assumeRolePolicy?.addStatements(
      new PolicyStatement({
        actions: ['sts:TagSession'],
        principals: [
          new PrincipalWithConditions(principal as IPrincipal, {
            StringEqualsIfExists: { [`aws:RequestTag/${ownerTag}`]: ownerOfCaller },
            Null: { [`aws:RequestTag/${environmentTag}`]: 'true' },
          }),
        ],
      }),
    );
  }
  role.assumeRolePolicy?.addStatements(
    new PolicyStatement({
      sid: 'NotTaggedForOthers',
      effect: Effect.DENY,
      actions: ['sts:AssumeRole'],
      principals: [new AnyPrincipal()],
      conditions: {
        StringNotEquals: { [`aws:PrincipalTag/${environmentTag}`]: environment },
        Null: { [`aws:PrincipalTag/${environmentTag}`]: 'false' },
      },
    }),
  );
}

/** Makes a principal of a role that takes each grant into the role's policy and into its boundary. */
function within(role: Role, boundary: RoleBoundary): IPrincipal {
  const add = (statement: PolicyStatement): AddToPrincipalPolicyResult => {
    boundary.add(statement.copy());
    return role.addToPrincipalPolicy(statement);
  };
  const principal: IPrincipal = {
    get grantPrincipal(): IPrincipal {
      return principal;
    },
    assumeRoleAction: role.assumeRoleAction,
    policyFragment: role.policyFragment,
    ...(role.principalAccount !== undefined && { principalAccount: role.principalAccount }),
    addToPrincipalPolicy: add,
  };
  return principal;
}

/**
 * Makes the principal of a role's trust policy. IAM takes no wildcard in a principal's ARN; the account with a condition on the
 * caller's ARN says the same.
 */
function trusted(scope: Construct, principal: string): PrincipalBase {
  if (/^\d{12}$/.test(principal)) {
    return new AccountPrincipal(principal);
  }
  if (!principal.includes('*')) {
    return new ArnPrincipal(principal);
  }
  const account = Stack.of(scope).splitArn(principal, ArnFormat.SLASH_RESOURCE_NAME).account ?? '';
  return new PrincipalWithConditions(new AccountPrincipal(account) as IPrincipal, {
    ArnLike: { 'aws:PrincipalArn': principal },
  });
}

/** Lets a principal begin sessions of one name alone, where a key of IAM says which. */
const named = (principal: PrincipalBase, by: SessionName | undefined): PrincipalBase =>
  by === undefined ? principal : new PrincipalWithConditions(principal as IPrincipal, sessionNamed(by));
