import { describe } from '@jest/globals';
import { secretWithoutCustomerKey as rule } from '../../../../core/template/rules/secret-without-customer-key.ts';
import { attribute, breaks, holds, plan, ref, resource, secret, stack } from '../support.ts';

const planned = (after: object, more: object = {}) =>
  plan([{ type: 'aws_secretsmanager_secret', name: 'db', after: { name: 'db', ...after }, ...more }]);

describe('SecretWithoutCustomerKey', () => {
  breaks(rule, 'a secret without key', stack({ A: secret() }), [['A', /encrypted with the key of AWS/]]);
  breaks(
    rule,
    'the key of AWS by its alias',
    stack({ A: secret({ KmsKeyId: 'alias/aws/secretsmanager' }) }),
    [['A', /key of AWS/]],
  );
  breaks(rule, 'a secret without key in a plan', planned({ kms_key_id: null }), [
    ['aws_secretsmanager_secret.db', /key of AWS/],
  ]);

  holds(
    rule,
    'a key of the template',
    stack({ A: secret({ KmsKeyId: attribute('Key', 'Arn') }), Key: resource('AWS::KMS::Key') }),
  );
  holds(
    rule,
    'a key that a parameter gives',
    stack({ A: secret({ KmsKeyId: ref('Key') }) }, { Parameters: { Key: { Type: 'String' } } }),
  );
  holds(
    rule,
    'a key in a plan',
    planned(
      {},
      { unknown: { kms_key_id: true }, refers: { kms_key_id: ['aws_kms_key.k.arn', 'aws_kms_key.k'] } },
    ),
  );
});
