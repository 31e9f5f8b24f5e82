import {
  DeleteRolePolicyCommand,
  DeleteUserPolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { afterEach, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { IamPrincipals } from '../../adapters/principals.ts';
import { quarantinePolicyName } from '../../core/quarantine/document.ts';
import { region } from './answers.ts';

const iam = mockClient(IAMClient);
afterEach(() => {
  iam.reset();
});

test.each(['role', 'user'])(
  'two environments neither overwrite nor lift the quarantine of each other: %s',
  async (kind) => {
    const policies = new Map<string, string>();
    const put = async ({ PolicyName = '', PolicyDocument = '' }) => {
      policies.set(PolicyName, PolicyDocument);
      return {};
    };
    const remove = async ({ PolicyName = '' }) => {
      policies.delete(PolicyName);
      return {};
    };
    iam.on(PutRolePolicyCommand).callsFake(put).on(PutUserPolicyCommand).callsFake(put);
    iam.on(DeleteRolePolicyCommand).callsFake(remove).on(DeleteUserPolicyCommand).callsFake(remove);
    const of = (environment: string) =>
      new IamPrincipals(new IAMClient(region), quarantinePolicyName(environment, 'eu-central-1'));
    const principal = `arn:aws:iam::111122223333:${kind}/app-worker`;
    await of('prod').deny(principal, 'of prod');
    await of('staging').deny(principal, 'of staging');
    expect([...policies.values()]).toEqual(['of prod', 'of staging']);
    await of('staging').release(principal);
    expect([...policies]).toEqual([['RekeyQuarantine-prod-eu-central-1', 'of prod']]);
  },
);
