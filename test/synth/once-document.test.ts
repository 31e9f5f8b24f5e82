import { expect, test } from '@jest/globals';
import { AccountPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { OnceDocument } from '../../lib/access/once-document.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { testApp, testStack } from './support/app.ts';
import { manySecrets } from './support/many.ts';

test('a statement is kept once, and one that differs anywhere is another', () => {
  const document = new OnceDocument(testStack().stack);
  const statement = (account: string, action = 'kms:Decrypt', effect = Effect.ALLOW) =>
    new PolicyStatement({
      principals: [new AccountPrincipal(account)],
      actions: [action],
      resources: ['*'],
      effect,
    });
  const [one, other] = ['111122223333', '444455556666'] as const;
  document.addStatements(statement(one), statement(one));
  expect(document.statementCount).toBe(1);
  const different = [statement(other), statement(one, 'kms:Encrypt'), statement(one, undefined, Effect.DENY)];
  document.addStatements(...different, ...different);
  expect(document.statementCount).toBe(4);
});

test("the policy of the secrets' key does not grow with them", () => {
  const statementsWith = (count: number) =>
    new RekeyEnvironment(testApp(), 'prod', {
      configuration: manySecrets(count, 1),
      directory: import.meta.dirname,
    }).foundation.secretsKeyPolicy.statementCount;
  expect(statementsWith(20)).toBe(statementsWith(1));
});
