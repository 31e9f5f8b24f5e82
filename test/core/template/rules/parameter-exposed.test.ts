import { describe } from '@jest/globals';
import { parameterExposed as rule } from '../../../../core/template/rules/parameter-exposed.ts';
import { breaks, holds, plan, stack } from '../support.ts';

const parameters = (Parameters: object) => stack({}, { Parameters });
const variables = (given: object) => plan([], {}, { variables: given });

describe('ParameterExposed', () => {
  breaks(
    rule,
    'a default',
    parameters({ DbPassword: { Type: 'String', NoEcho: true, Default: 'hunter22' } }),
    [['DbPassword', /has a secret as its default/]],
  );
  breaks(rule, 'one that is shown', parameters({ ApiKey: { Type: 'String' } }), [
    ['ApiKey', /shows its value/],
  ]);
  breaks(
    rule,
    'a default of Terraform',
    variables({ db_password: { default: 'hunter22', sensitive: true } }),
    [['db_password', /variable db_password has a secret as its default/]],
  );
  breaks(rule, 'a variable that is shown', variables({ db_password: {} }), [
    ['db_password', /shows its value/],
  ]);

  holds(rule, 'a hidden one', parameters({ DbPassword: { Type: 'String', NoEcho: true } }));
  holds(
    rule,
    'a hidden one with an empty default',
    parameters({ DbPassword: { Type: 'String', NoEcho: 'true', Default: '' } }),
  );
  holds(
    rule,
    'names of things, numbers, and parameters of Systems Manager',
    parameters({
      SecretName: { Type: 'String', Default: 'prod/orders' },
      KeyName: { Type: 'AWS::EC2::KeyPair::KeyName' },
      PasswordLength: { Type: 'Number', Default: 32 },
      Token: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/prod/token' },
      BootstrapVersion: {
        Type: 'AWS::SSM::Parameter::Value<String>',
        Default: '/cdk-bootstrap/hnb659fds/version',
      },
    }),
  );
  holds(
    rule,
    'switches and choices',
    parameters({
      AllowUsersToChangePassword: { Type: 'String', Default: 'true' },
      Token: { Type: 'String', Default: 'rotating', AllowedValues: ['rotating', 'fixed'] },
    }),
  );
  holds(
    rule,
    'a sensitive variable',
    variables({ db_password: { sensitive: true }, region: { default: 'eu-central-1' } }),
  );
});
