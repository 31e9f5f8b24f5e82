import { Lazy, Stack } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';

/** A secret as a policy knows it. */
export interface SecretIdentity {
  /** Full ARN, or the partial one followed by `-??????` where the random suffix is unknown at synth. */
  readonly arnPattern: string;
  /** @default - the AWS managed key, which needs no permission */
  readonly encryptionKey?: IKey | undefined;
}

/**
 * Permission of one role for a growing list of named secrets and their keys. One statement per kind however many
 * secrets are added, because the policies of a role have a limited size.
 */
export class SecretAccess {
  private readonly arns: string[] = [];
  private readonly keys = new Map<string, string[]>();
  private readonly role: IRole;
  private readonly sid: string;
  private readonly actions: string[];
  private readonly keyActions: string[];

  constructor(
    role: IRole,
    access: { sid: string; actions: readonly string[]; keyActions: readonly string[] },
  ) {
    this.role = role;
    this.sid = access.sid;
    this.actions = [...access.actions];
    this.keyActions = [...access.keyActions];
  }

  add(secret: SecretIdentity): void {
    if (this.arns.includes(secret.arnPattern)) {
      return;
    }
    if (this.arns.length === 0) {
      this.role.addToPrincipalPolicy(
        new PolicyStatement({
          sid: this.sid,
          actions: this.actions,
          resources: Lazy.list({ produce: () => this.arns }),
        }),
      );
    }
    this.arns.push(secret.arnPattern);
    if (secret.encryptionKey !== undefined) {
      this.addKey(secret.encryptionKey.keyArn, secret.arnPattern);
    }
  }

  /**
   * The key may be used through Secrets Manager only, and for these secrets only.
   * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
   */
  private addKey(keyArn: string, arnPattern: string): void {
    const known = this.keys.get(keyArn);
    if (known !== undefined) {
      known.push(arnPattern);
      return;
    }
    const arns = [arnPattern];
    this.keys.set(keyArn, arns);
    this.role.addToPrincipalPolicy(
      new PolicyStatement({
        sid: `${this.sid}Key${this.keys.size}`,
        actions: this.keyActions,
        resources: [keyArn],
        conditions: {
          StringEquals: { 'kms:ViaService': `secretsmanager.${Stack.of(this.role).region}.amazonaws.com` },
          StringLike: { 'kms:EncryptionContext:SecretARN': Lazy.list({ produce: () => arns }) },
        },
      }),
    );
  }
}
