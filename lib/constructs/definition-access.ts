import { Stack } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { contentTag } from '../../core/names.ts';

/** Definitions in one statement; see {@link SecretAccess}. */
const definitionsPerStatement = 15;

/**
 * Permission of one role to read the definitions of named secrets, and to note in a tag of each secret what it has taken over.
 * Tags may decide about permissions, so it may set that one tag and no other.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html#access_tags_control-tag-keys
 */
export class DefinitionAccess {
  private readonly role: IRole;
  private count = 0;
  private read: PolicyStatement | undefined;
  private note: PolicyStatement | undefined;

  constructor(role: IRole) {
    this.role = role;
  }

  /** The parameter by its name: its own reference would make the role wait for a definition that names the function. */
  add(parameterName: string, secretArn: string): void {
    if (this.count % definitionsPerStatement === 0) this.open();
    this.count += 1;
    const parameter = Stack.of(this.role).formatArn({
      service: 'ssm',
      resource: 'parameter',
      resourceName: parameterName.slice(1),
    });
    this.read?.addResources(parameter);
    this.note?.addResources(secretArn);
  }

  private open(): void {
    const number = this.count === 0 ? '' : `${this.count / definitionsPerStatement + 1}`;
    this.read = new PolicyStatement({ sid: `Definitions${number}`, actions: ['ssm:GetParameter'] });
    this.note = new PolicyStatement({
      sid: `DefinitionNotes${number}`,
      actions: ['secretsmanager:TagResource'],
      conditions: {
        'ForAllValues:StringEquals': { 'aws:TagKeys': [contentTag] },
        Null: { 'aws:TagKeys': 'false' },
      },
    });
    this.role.addToPrincipalPolicy(this.read);
    this.role.addToPrincipalPolicy(this.note);
  }
}
