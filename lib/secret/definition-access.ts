import { Stack, Token } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { contentTag, definitionsPath } from '../../core/deployed/names.ts';
import { acknowledgeWildcards } from '../access/acknowledge.ts';
import { type PagedStatement, type PolicyPages, sizedArn } from '../access/policy-pages.ts';
import type { SecretIdentity } from './secret-access.ts';

const readDefinition: PagedStatement = { sid: 'Definitions', actions: ['ssm:GetParameter'] };

const noteContent: PagedStatement = {
  sid: 'DefinitionNotes',
  actions: ['secretsmanager:TagResource'],
  conditions: {
    'ForAllValues:StringEquals': { 'aws:TagKeys': [contentTag] },
    Null: { 'aws:TagKeys': 'false' },
  },
};

/**
 * A role's permission to read the definitions of named secrets. It may also note in a tag of each secret what it has taken
 * over. Tags may decide about permissions, so it may set that one tag and no other.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html#access_tags_control-tag-keys
 */
export class DefinitionAccess {
  private readonly role: IRole;
  private readonly pages: PolicyPages;

  constructor(role: IRole, pages: PolicyPages) {
    this.role = role;
    this.pages = pages;
  }

  /**
   * Adds a definition by the name of its parameter. The parameter's own reference would make the role wait for a definition
   * that names the function.
   * @param noted - the secret whose tag says what it has taken over
   */
  add(parameterName: string, noted: SecretIdentity | undefined): void {
    const parameter = Stack.of(this.role).formatArn({
      service: 'ssm',
      resource: 'parameter',
      resourceName: parameterName.slice(1),
    });
    this.pages.add(
      readDefinition,
      sizedArn(parameter, Token.isUnresolved(parameterName) ? undefined : parameterName),
    );
    if (noted !== undefined) {
      this.pages.add(noteContent, sizedArn(noted.arnPattern, noted.name));
    }
  }
}

/** Lets a role find any secret of an environment by its definition, which holds names only. */
export function grantFindDefinitions(role: IRole, environment: string): void {
  const definitions = Stack.of(role).formatArn({
    service: 'ssm',
    resource: 'parameter',
    resourceName: `${definitionsPath(environment).slice(1)}/*`,
  });
  role.addToPrincipalPolicy(
    new PolicyStatement({ sid: 'FindDefinition', actions: ['ssm:GetParameter'], resources: [definitions] }),
  );
  acknowledgeWildcards(role, [definitions], 'The definitions of the secrets, which hold names only.');
}
