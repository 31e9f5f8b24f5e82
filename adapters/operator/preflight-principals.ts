import {
  type AttachedPolicy,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  type GroupDetail,
  type IAMClient,
  type ManagedPolicyDetail,
  NoSuchEntityException,
  type PolicyDetail,
  paginateGetAccountAuthorizationDetails,
  paginateListAttachedRolePolicies,
  paginateListRolePolicies,
  type RoleDetail,
  type Tag,
  type UserDetail,
} from '@aws-sdk/client-iam';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { Policy } from '../../core/iam/document.ts';
import { readingPart } from '../../core/preflight/access.ts';
import type { KnownPrincipal, PreflightCloud } from '../../core/preflight/ports.ts';
import { awsError } from '../aws-error.ts';
import { parsePolicy } from './policy-documents.ts';

/** Roles and users of one account that are looked at. */
const mostPrincipals = 10_000;

/** The roles and users of an account, with the policies that decide what they may read. */
export class PreflightPrincipals implements Pick<PreflightCloud, 'role' | 'principals'> {
  readonly #iam: IAMClient;
  readonly #managed = new Map<string, Promise<Policy>>();

  constructor(iam: IAMClient) {
    this.#iam = iam;
  }

  async role(name: string): Promise<KnownPrincipal | undefined> {
    const on = `role ${name}`;
    const found = await this.#call('GetRole', on, async () => {
      try {
        return (await this.#iam.send(new GetRoleCommand({ RoleName: name }))).Role;
      } catch (error) {
        if (error instanceof NoSuchEntityException) return undefined;
        throw error;
      }
    });
    if (found?.Arn === undefined) return undefined;
    const policies: Policy[] = [];
    for (const PolicyName of await this.#call('ListRolePolicies', on, async () => {
      const names: string[] = [];
      for await (const { PolicyNames = [] } of paginateListRolePolicies(
        { client: this.#iam },
        { RoleName: name },
      ))
        names.push(...PolicyNames);
      return names;
    })) {
      const { PolicyDocument } = await this.#call('GetRolePolicy', on, () =>
        this.#iam.send(new GetRolePolicyCommand({ RoleName: name, PolicyName })),
      );
      policies.push(decoded(PolicyDocument, `policy ${PolicyName} of ${on}`));
    }
    for (const { PolicyArn = '' } of await this.#call('ListAttachedRolePolicies', on, async () => {
      const attached: AttachedPolicy[] = [];
      for await (const { AttachedPolicies = [] } of paginateListAttachedRolePolicies(
        { client: this.#iam },
        { RoleName: name },
      ))
        attached.push(...AttachedPolicies);
      return attached;
    })) {
      policies.push(await this.#managedPolicy(PolicyArn));
    }
    const limit = found.PermissionsBoundary?.PermissionsBoundaryArn;
    return {
      kind: 'role',
      arn: found.Arn,
      tags: tagsOf(found.Tags),
      policies: policies.map(readingPart),
      ...(limit !== undefined && { boundary: await this.#managedPolicy(limit) }),
    };
  }

  /**
   * Reads all roles and users at once, a few calls for an account.
   * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
   */
  async principals(): Promise<readonly KnownPrincipal[]> {
    const [roles, users, groups, managed]: [
      RoleDetail[],
      UserDetail[],
      GroupDetail[],
      ManagedPolicyDetail[],
    ] = [[], [], [], []];
    await this.#call('GetAccountAuthorizationDetails', 'the account', async () => {
      for await (const page of paginateGetAccountAuthorizationDetails(
        { client: this.#iam, pageSize: 1_000 },
        {},
      )) {
        roles.push(...(page.RoleDetailList ?? []));
        users.push(...(page.UserDetailList ?? []));
        groups.push(...(page.GroupDetailList ?? []));
        managed.push(...(page.Policies ?? []));
        if (roles.length + users.length > mostPrincipals) {
          throw new RekeyError(
            'QuotaReached',
            `the account has more than ${mostPrincipals} roles and users, which are not all looked at; leave it out: --skip ReadableByTooMany`,
          );
        }
      }
    });
    for (const { Arn = '', PolicyVersionList = [] } of managed) {
      const current = PolicyVersionList.find(({ IsDefaultVersion }) => IsDefaultVersion === true);
      if (current?.Document !== undefined)
        this.#managed.set(Arn, Promise.resolve(decoded(current.Document, `policy ${Arn}`)));
    }
    const all: KnownPrincipal[] = [];
    for (const one of roles) {
      all.push(
        await this.#principal('role', one.Arn, one.Tags, one.PermissionsBoundary?.PermissionsBoundaryArn, [
          { inline: one.RolePolicyList, attached: one.AttachedManagedPolicies },
        ]),
      );
    }
    for (const one of users) {
      const own = { inline: one.UserPolicyList, attached: one.AttachedManagedPolicies };
      const ofGroups = groups
        .filter(({ GroupName = '' }) => one.GroupList?.includes(GroupName) === true)
        .map((group) => ({ inline: group.GroupPolicyList, attached: group.AttachedManagedPolicies }));
      all.push(
        await this.#principal('user', one.Arn, one.Tags, one.PermissionsBoundary?.PermissionsBoundaryArn, [
          own,
          ...ofGroups,
        ]),
      );
    }
    return all;
  }

  async #principal(
    kind: KnownPrincipal['kind'],
    arn = '',
    tags: readonly Tag[] = [],
    limit: string | undefined,
    held: readonly {
      readonly inline?: PolicyDetail[] | undefined;
      readonly attached?: AttachedPolicy[] | undefined;
    }[],
  ): Promise<KnownPrincipal> {
    const policies: Policy[] = [];
    for (const { inline = [], attached = [] } of held) {
      policies.push(
        ...inline.map(({ PolicyDocument, PolicyName }) =>
          decoded(PolicyDocument, `policy ${PolicyName} of ${arn}`),
        ),
      );
      for (const { PolicyArn = '' } of attached) policies.push(await this.#managedPolicy(PolicyArn));
    }
    return {
      kind,
      arn,
      tags: tagsOf(tags),
      policies: policies.map(readingPart),
      ...(limit !== undefined && { boundary: await this.#managedPolicy(limit) }),
    };
  }

  /** Reads a managed policy, once. */
  #managedPolicy(PolicyArn: string): Promise<Policy> {
    const before = this.#managed.get(PolicyArn);
    if (before !== undefined) return before;
    const reading = this.#readManaged(PolicyArn);
    this.#managed.set(PolicyArn, reading);
    return reading;
  }

  async #readManaged(PolicyArn: string): Promise<Policy> {
    const on = `policy ${PolicyArn}`;
    const found = await this.#call('GetPolicy', on, () =>
      this.#iam.send(new GetPolicyCommand({ PolicyArn })),
    );
    const VersionId = found.Policy?.DefaultVersionId;
    const { PolicyVersion } = await this.#call('GetPolicyVersion', on, () =>
      this.#iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId })),
    );
    return decoded(PolicyVersion?.Document, on);
  }

  async #call<T>(action: string, on: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw awsError(error, { service: 'IAM', action: `iam:${action}`, on });
    }
  }
}

/** Reads a document as IAM gives it out, encoded as in an address. */
const decoded = (document: string | undefined, of: string): Policy =>
  parsePolicy(decodeURIComponent(document ?? ''), of);

const tagsOf = (tags: readonly Tag[] | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
