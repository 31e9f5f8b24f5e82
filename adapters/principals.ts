import {
  DeleteRolePolicyCommand,
  DeleteUserPolicyCommand,
  GetRoleCommand,
  GetUserCommand,
  type IAMClient,
  NoSuchEntityException,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import type { Principals } from '../core/quarantine/ports.ts';
import { partsOf } from '../core/quarantine/principal.ts';
import { called } from './aws-error.ts';

/** The roles and users of IAM that may be quarantined. It writes and deletes one inline policy, under one name. */
export class IamPrincipals implements Principals {
  readonly #iam: IAMClient;
  readonly #policyName: string;

  /**
   * Takes the client.
   * @param policyName - name of the environment's own policy; those of others are left alone
   */
  constructor(iam: IAMClient, policyName: string) {
    this.#iam = iam;
    this.#policyName = policyName;
  }

  async describe(principal: string) {
    const { kind, name } = partsOf(principal);
    const read = async () =>
      kind === 'role'
        ? (await this.#iam.send(new GetRoleCommand({ RoleName: name }))).Role
        : (await this.#iam.send(new GetUserCommand({ UserName: name }))).User;
    const found = await this.#call(kind === 'role' ? 'GetRole' : 'GetUser', principal, unlessMissing(read()));
    if (found?.Arn === undefined) return undefined;
    const tags = Object.fromEntries((found.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
    return { arn: found.Arn, tags };
  }

  async deny(principal: string, PolicyDocument: string): Promise<void> {
    const { kind, name } = partsOf(principal);
    const PolicyName = this.#policyName;
    await this.#call(
      kind === 'role' ? 'PutRolePolicy' : 'PutUserPolicy',
      principal,
      kind === 'role'
        ? this.#iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName, PolicyDocument }))
        : this.#iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName, PolicyDocument })),
    );
  }

  async release(principal: string): Promise<void> {
    const { kind, name } = partsOf(principal);
    const PolicyName = this.#policyName;
    await this.#call(
      kind === 'role' ? 'DeleteRolePolicy' : 'DeleteUserPolicy',
      principal,
      unlessMissing(
        kind === 'role'
          ? this.#iam.send(new DeleteRolePolicyCommand({ RoleName: name, PolicyName }))
          : this.#iam.send(new DeleteUserPolicyCommand({ UserName: name, PolicyName })),
      ),
    );
  }

  #call<T>(action: string, on: string, answer: Promise<T>): Promise<T> {
    return called({ service: 'IAM', action: `iam:${action}`, on }, answer);
  }
}

/** Gives undefined where there is no such role, user or policy. */
const unlessMissing = <T>(answer: Promise<T>): Promise<T | undefined> =>
  answer.catch((error: unknown) => {
    if (error instanceof NoSuchEntityException) return undefined;
    throw error;
  });
