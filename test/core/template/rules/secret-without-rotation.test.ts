import { describe } from '@jest/globals';
import { secretWithoutRotation as rule } from '../../../../core/template/rules/secret-without-rotation.ts';
import { attribute, breaks, holds, plan, ref, resource, secret, stack } from '../support.ts';

const schedule = (SecretId: unknown) => resource('AWS::SecretsManager::RotationSchedule', { SecretId });

describe('SecretWithoutRotation', () => {
  breaks(rule, 'a secret without schedule', stack({ Orders: secret({ Name: '/prod/orders' }) }), [
    ['Orders', /secret \/prod\/orders has no rotation schedule/],
  ]);
  breaks(
    rule,
    'the one of two that has none',
    stack({ A: secret(), B: secret(), Rotation: schedule(ref('A')) }),
    [['B', /no rotation/]],
  );
  breaks(
    rule,
    'a secret of a plan',
    plan([{ type: 'aws_secretsmanager_secret', name: 'db', after: { name: 'db' } }]),
    [['aws_secretsmanager_secret.db', /secret db has no rotation/]],
  );

  holds(rule, 'a schedule of the secret', stack({ A: secret(), Rotation: schedule(ref('A')) }));
  holds(
    rule,
    'a schedule by the attachment to a database',
    stack({
      A: secret(),
      Attached: resource('AWS::SecretsManager::SecretTargetAttachment', { SecretId: ref('A') }),
      Rotation: schedule(ref('Attached')),
    }),
  );
  holds(rule, 'a schedule in another stack, by an export', [
    stack(
      { A: secret() },
      { Outputs: { Arn: { Value: ref('A'), Export: { Name: 'secrets:ExportsOutputRefA' } } } },
      'secrets.json',
    ),
    stack({ Rotation: schedule({ 'Fn::ImportValue': 'secrets:ExportsOutputRefA' }) }, {}, 'rotation.json'),
  ]);
  holds(rule, 'a schedule by the name of the secret', stack({ A: secret({ Name: 'a' }), R: schedule('a') }));
  holds(
    rule,
    'a schedule by an ARN without suffix',
    stack({
      A: secret({ Name: '/prod/a' }),
      B: secret({ Name: '/prod/b' }),
      OfA: schedule('arn:aws:secretsmanager:eu-central-1:111122223333:secret:/prod/a'),
      OfB: schedule({
        'Fn::Sub': `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:/prod/b`,
      }),
    }),
  );
  holds(rule, 'a schedule in another stack, by an output', [
    stack({ A: secret() }, { Outputs: { PublishA: { Value: ref('A') } } }, 'secrets.json'),
    stack(
      { Rotation: schedule({ 'Fn::GetStackOutput': { StackName: 'secrets', OutputName: 'PublishA' } }) },
      {},
      'rotation.json',
    ),
  ]);
  holds(
    rule,
    'a schedule whose secret only the deploy knows',
    stack({
      A: secret(),
      R: schedule({ 'Fn::Select': [0, attribute('Custom', 'Ids')] }),
      Custom: resource('Custom::X'),
    }),
  );
  holds(
    rule,
    'a managed external secret, which a partner rotates',
    stack({ A: secret({ Type: 'SalesforceClientSecret' }) }),
  );
  holds(
    rule,
    'a rotation in a plan, by reference',
    plan([
      {
        type: 'aws_secretsmanager_secret',
        name: 'db',
        after: { name: 'db' },
        unknown: { arn: true, id: true },
      },
      {
        type: 'aws_secretsmanager_secret_rotation',
        name: 'db',
        after: { rotation_rules: [{ automatically_after_days: 30 }] },
        unknown: { secret_id: true },
        refers: { secret_id: ['aws_secretsmanager_secret.db.id', 'aws_secretsmanager_secret.db'] },
      },
    ]),
  );
});
