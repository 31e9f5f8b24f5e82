import { Stack } from 'aws-cdk-lib';
import { PolicyDocument, type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/**
 * Keeps each statement once, however often it is added.
 *
 * Every created secret adds the same statements to the policy of its key. The CDK merges them at the end by comparing each with
 * each, and takes an account for another one each time it is named. That takes a third of the synthesis of a thousand secrets.
 */
export class OnceDocument extends PolicyDocument {
  private readonly stack: Stack;
  private readonly known = new Set<string>();

  /** Begins an empty policy. @param scope - where the policy is, by which names that are filled in later are compared */
  constructor(scope: Construct) {
    super();
    this.stack = Stack.of(scope);
  }

  override addStatements(...statements: PolicyStatement[]): void {
    for (const statement of statements) {
      const text = JSON.stringify(this.stack.resolve(statement.toStatementJson()));
      if (!this.known.has(text)) {
        this.known.add(text);
        super.addStatements(statement);
      }
    }
  }
}
