import { ArnFormat, Stack, Tags } from 'aws-cdk-lib';
import {
  AccountPrincipal,
  type AddToPrincipalPolicyResult,
  ArnPrincipal,
  CompositePrincipal,
  type IGrantable,
  type IPrincipal,
  PolicyStatement,
  type PrincipalBase,
  PrincipalWithConditions,
  Role,
} from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { definitionsPath, deploymentPath, environmentTag } from '../../core/deployed/names.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
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
}

/** A role for people and pipelines. None of them can read a secret's value or do another's work. */
export abstract class AccessRole extends Construct {
  readonly role: Role;
  /** Boundary of the role: whatever is attached to it later, it may do no more than this allows. */
  protected readonly boundary: RoleBoundary;
  /** The role, for grants that its boundary permits as well. A grant to `role` itself is worth what the boundary leaves of it. */
  readonly grantee: IGrantable;

  constructor(scope: Construct, id: string, props: AccessRoleProps, description: string) {
    super(scope, id);
    const [first, ...others] = props.principals.map((principal) => trusted(this, principal));
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
