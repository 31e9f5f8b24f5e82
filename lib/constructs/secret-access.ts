import { Stack } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';

/** A secret as a policy knows it. */
export interface SecretIdentity {
  /** Full ARN, or the partial one followed by `-??????` where the random suffix is unknown at synth. */
  readonly arnPattern: string;
  /** @default - the AWS managed key, which needs no permission */
  readonly encryptionKey?: IKey | undefined;
}

/** Secrets in one statement: few enough for the CDK to spread statements over several policies when one gets too large. */
const secretsPerStatement = 15;

/** A statement that still takes secrets. */
interface Open {
  readonly statement: PolicyStatement;
  readonly arns: string[];
}

/**
 * Permission of one role for a growing list of named secrets and their keys. A statement takes many secrets, because
 * the policies of a role have a limited size, and not all of them, because a statement cannot be divided.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export class SecretAccess {
  private readonly arns = new Set<string>();
  private readonly open = new Map<string, Open>();
  private statements = 0;
  private keyStatements = 0;
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

  add({ arnPattern, encryptionKey }: SecretIdentity): void {
    if (this.arns.has(arnPattern)) {
      return;
    }
    this.arns.add(arnPattern);
    const { statement } = this.take('', arnPattern, () => {
      this.statements += 1;
      const number = this.statements === 1 ? '' : `${this.statements}`;
      return new PolicyStatement({ sid: `${this.sid}${number}`, actions: this.actions });
    });
    statement.addResources(arnPattern);
    if (encryptionKey !== undefined) {
      this.addKey(encryptionKey.keyArn, arnPattern);
    }
  }

  /**
   * The key may be used through Secrets Manager only, and for these secrets only.
   * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
   */
  private addKey(keyArn: string, arnPattern: string): void {
    const { statement, arns } = this.take(keyArn, arnPattern, () => {
      this.keyStatements += 1;
      return new PolicyStatement({
        sid: `${this.sid}Key${this.keyStatements}`,
        actions: this.keyActions,
        resources: [keyArn],
        conditions: {
          StringEquals: { 'kms:ViaService': `secretsmanager.${Stack.of(this.role).region}.amazonaws.com` },
        },
      });
    });
    statement.addCondition('StringLike', { 'kms:EncryptionContext:SecretARN': [...arns] });
  }

  /** The statement of this kind that the secret goes into, a new one when the last is full. */
  private take(kind: string, arnPattern: string, create: () => PolicyStatement): Open {
    let open = this.open.get(kind);
    if (open === undefined || open.arns.length >= secretsPerStatement) {
      open = { statement: create(), arns: [] };
      this.open.set(kind, open);
      this.role.addToPrincipalPolicy(open.statement);
    }
    open.arns.push(arnPattern);
    return open;
  }
}
