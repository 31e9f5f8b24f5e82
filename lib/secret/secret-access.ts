import { Stack } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type PagedStatement, PolicyPages, sizedArn } from '../access/policy-pages.ts';

/** A secret as a policy knows it. */
export interface SecretIdentity {
  /** Full ARN, or the partial one followed by `-??????` where the random suffix is unknown at synth. */
  readonly arnPattern: string;
  /** Name of the secret, by which the length of an ARN is told that is known at the deploy. */
  readonly name?: string;
  /** Key that encrypts the secret. @default - the AWS managed key, which needs no permission */
  readonly encryptionKey?: IKey | undefined;
}

/** A role's permission for a growing list of named secrets and their keys. */
export class SecretAccess {
  private readonly pages: PolicyPages;
  private readonly role: IRole;
  private readonly sid: string;
  private readonly actions: readonly string[];
  private readonly keyActions: readonly string[];
  private readonly keys: string[] = [];

  constructor(
    role: IRole,
    access: {
      sid: string;
      actions: readonly string[];
      keyActions: readonly string[];
      /** Policies that the role shares with other statements that grow. */
      pages?: PolicyPages;
    },
  ) {
    this.role = role;
    this.pages = access.pages ?? new PolicyPages(role);
    this.sid = access.sid;
    this.actions = access.actions;
    this.keyActions = access.keyActions;
  }

  add({ arnPattern, name, encryptionKey }: SecretIdentity): void {
    const arn = sizedArn(arnPattern, name);
    this.pages.add({ sid: this.sid, actions: this.actions }, arn);
    if (encryptionKey !== undefined && this.keyActions.length > 0) {
      this.pages.add(this.keyStatement(encryptionKey.keyArn), arn);
    }
  }

  /**
   * Permits use of the key through Secrets Manager only, and for these secrets only.
   * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
   */
  private keyStatement(keyArn: string): PagedStatement {
    if (!this.keys.includes(keyArn)) {
      this.keys.push(keyArn);
    }
    return {
      sid: `${this.sid}Key${this.keys.indexOf(keyArn) + 1}`,
      actions: this.keyActions,
      conditions: {
        StringEquals: { 'kms:ViaService': `secretsmanager.${Stack.of(this.role).region}.amazonaws.com` },
      },
      listedIn: {
        operator: 'StringLike',
        key: 'kms:EncryptionContext:SecretARN',
        resource: sizedArn(keyArn),
      },
    };
  }
}
