import { describe } from '@jest/globals';
import { keyWithoutRotation as rule } from '../../../../core/template/rules/key-without-rotation.ts';
import { breaks, holds, plan, ref, resource, stack } from '../support.ts';

const key = (properties: object = {}) => stack({ Key: resource('AWS::KMS::Key', { ...properties }) });
const planned = (after: object) => plan([{ type: 'aws_kms_key', name: 'k', after: { ...after } }]);

describe('KeyWithoutRotation', () => {
  breaks(rule, 'a key without rotation', key(), [['Key', /does not rotate/]]);
  breaks(rule, 'a rotation that is off', key({ EnableKeyRotation: false }), [['Key', /does not rotate/]]);
  breaks(
    rule,
    'a key in a plan',
    planned({ enable_key_rotation: false, customer_master_key_spec: 'SYMMETRIC_DEFAULT' }),
    [['aws_kms_key.k', /does not rotate/]],
  );

  holds(rule, 'a key that rotates', key({ EnableKeyRotation: true }));
  holds(rule, 'a word of YAML for it', key({ EnableKeyRotation: 'true' }));
  holds(
    rule,
    'a switch that a parameter gives',
    stack(
      { Key: resource('AWS::KMS::Key', { EnableKeyRotation: ref('On') }) },
      { Parameters: { On: { Type: 'String' } } },
    ),
  );
  holds(
    rule,
    'keys that cannot rotate',
    stack({
      Signing: resource('AWS::KMS::Key', { KeySpec: 'RSA_4096', KeyUsage: 'SIGN_VERIFY' }),
      Mac: resource('AWS::KMS::Key', { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }),
      Imported: resource('AWS::KMS::Key', { Origin: 'EXTERNAL' }),
    }),
  );
  holds(rule, 'a key in a plan that rotates', planned({ enable_key_rotation: true }));
});
