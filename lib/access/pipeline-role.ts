import { ArnFormat, Stack, Tags } from 'aws-cdk-lib';
import {
  type IOidcProvider,
  type IPrincipal,
  OidcProviderNative,
  PolicyStatement,
  Role,
  ServicePrincipal,
  WebIdentityPrincipal,
} from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { definitionsPath, deploymentPath, environmentTag } from '../../core/deployed/names.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { RotatedSecret } from '../secret/rotated-secret.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import type { Pipeline, PipelineService, PipelineTokens } from './pipeline.ts';
import { PolicyPages, sizedArn } from './policy-pages.ts';
import { RoleBoundary } from './role-limits.ts';

/** Props of {@link PipelineRole}. */
export interface PipelineRoleProps {
  readonly environment: string;
  /** The one pipeline that may assume the role. */
  readonly pipeline: Pipeline;
  /**
   * The provider of the pipeline's tokens. An account has one for each issuer.
   * @default - one of this stack, which all of its pipeline roles share
   */
  readonly provider?: IOidcProvider;
  /** Secrets whose references the pipeline may check: that they are there, never what they hold. @default - none */
  readonly secrets?: readonly RotatedSecret[];
  /** Function that looks fingerprints up, for `rekey whose`. @default - none; the role cannot ask which secret holds a value */
  readonly fingerprintLookup?: IFunction;
  /**
   * True if the pipeline may deploy with the CDK. It then may assume the roles of the account's bootstrap in this region, and they do
   * the work.
   * @default false
   */
  readonly deploys?: boolean;
  /**
   * Qualifier of the CDK's bootstrap.
   * @default 'hnb659fds'
   * @see https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html
   */
  readonly bootstrapQualifier?: string;
}

/** Roles of a bootstrap that `cdk deploy` assumes; CloudFormation takes the fifth by itself. */
const bootstrapRoles = [
  'deploy-role',
  'file-publishing-role',
  'image-publishing-role',
  'lookup-role',
] as const;

/**
 * A role of one pipeline, with sessions of an hour. It reads definitions and facts of its environment, checks that secrets are there,
 * and hands a deploy over to the CDK's bootstrap. It can read no secret's value, rotate, revoke, or assume another role.
 *
 * @example
 * new PipelineRole(this, 'OrdersPipeline', {
 *   environment: 'prod',
 *   pipeline: Pipeline.github({ owner: 'acme', repository: 'orders', environment: 'prod' }),
 *   secrets: [orders],
 *   deploys: true,
 * });
 */
export class PipelineRole extends Construct {
  readonly role: Role;
  private readonly boundary: RoleBoundary;

  constructor(scope: Construct, id: string, props: PipelineRoleProps) {
    super(scope, id);
    const { environment, pipeline, secrets = [], fingerprintLookup, deploys = false } = props;
    this.role = new Role(this, 'Role', {
      description: `Rekey ${environment}: ${pipeline.name}`.slice(0, 1_000),
      assumedBy: this.trusted(pipeline.trusted, props.provider),
    });
    Tags.of(this.role).add(environmentTag, environment);
    const handOff = deploys ? this.bootstrap(props.bootstrapQualifier ?? 'hnb659fds') : [];
    this.boundary = new RoleBoundary(this.role, environment, { mayAssume: handOff });
    const parameters = [definitionsPath(environment), deploymentPath(environment)].flatMap((path) => {
      const arn = this.arn('ssm', 'parameter', path.slice(1));
      return [arn, `${arn}/*`];
    });
    this.allow('Definitions', ['ssm:GetParameter', 'ssm:GetParametersByPath'], parameters);
    acknowledgeWildcards(
      this.role,
      parameters.filter((arn) => arn.endsWith('/*')),
      'The parameters below these paths of the environment hold names and settings only.',
    );
    this.refer(secrets);
    if (fingerprintLookup !== undefined) {
      this.allow('LookUpFingerprints', ['lambda:InvokeFunction'], [fingerprintLookup.functionArn]);
    }
    this.allow('HandOff', ['sts:AssumeRole'], handOff);
  }

  /** Lets the role see that secrets are there. The boundary has no room for the names of many. */
  private refer(secrets: readonly RotatedSecret[]): void {
    if (secrets.length === 0) return;
    const actions = ['secretsmanager:DescribeSecret'];
    const pages = new PolicyPages(this.role);
    for (const { identity } of secrets) {
      pages.add({ sid: 'References', actions }, sizedArn(identity.arnPattern, identity.name));
    }
    const any = Stack.of(this).formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: '*',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.boundary.add(new PolicyStatement({ sid: 'References', actions, resources: [any] }));
    acknowledgeWildcards(this.boundary.policy, [any], 'The policy of the role names each secret.');
  }

  private allow(sid: string, actions: string[], resources: string[]): void {
    if (resources.length === 0) return;
    const statement = new PolicyStatement({ sid, actions, resources });
    this.role.addToPolicy(statement);
    this.boundary.add(statement.copy());
  }

  private arn(service: string, resource: string, resourceName: string): string {
    return Stack.of(this).formatArn({
      service,
      resource,
      resourceName,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  }

  /** Lists the ARNs of the roles that a deploy is handed over to. */
  private bootstrap(qualifier: string): string[] {
    if (!/^[A-Za-z0-9_-]{1,10}$/.test(qualifier)) {
      throw new RekeyError(
        'ConstructInvalid',
        `${this.node.path}: ${JSON.stringify(qualifier.slice(0, 50))} is no qualifier of a bootstrap; it has up to ten letters and digits`,
      );
    }
    const { account, region, partition } = Stack.of(this);
    return bootstrapRoles.map(
      (name) => `arn:${partition}:iam::${account}:role/cdk-${qualifier}-${name}-${account}-${region}`,
    );
  }

  private trusted(
    trusted: PipelineTokens | PipelineService,
    provider: IOidcProvider | undefined,
  ): IPrincipal {
    if ('service' in trusted) {
      const { account, region, partition } = Stack.of(this);
      const { service, resource } = trusted;
      // A service is told for whom it acts, so that no pipeline of another account borrows the role.
      return new ServicePrincipal(`${service}.amazonaws.com`, {
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnEquals: { 'aws:SourceArn': `arn:${partition}:${service}:${region}:${account}:${resource}` },
        },
      });
    }
    const { issuer, audience, subject } = trusted;
    const host = issuer.replace('https://', '');
    const { oidcProviderRef } = provider ?? this.ownProvider(issuer, audience);
    const open = subject.endsWith('*');
    return new WebIdentityPrincipal(oidcProviderRef.oidcProviderArn, {
      StringEquals: { [`${host}:aud`]: audience, ...(!open && { [`${host}:sub`]: subject }) },
      ...(open && { StringLike: { [`${host}:sub`]: subject } }),
    });
  }

  /** Gives the provider of this stack for an issuer, made for the first of its roles. */
  private ownProvider(issuer: string, audience: string): IOidcProvider {
    const stack = Stack.of(this);
    const id = `PipelineTokens-${issuer.replace('https://', '')}`;
    const made = stack.node.tryFindChild(id.replaceAll('/', '--'));
    return made instanceof OidcProviderNative
      ? made
      : new OidcProviderNative(stack, id, { url: issuer, clientIds: [audience] });
  }
}
