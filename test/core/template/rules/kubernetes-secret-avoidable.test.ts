import { describe } from '@jest/globals';
import { kubernetesSecretAvoidable as rule } from '../../../../core/template/rules/kubernetes-secret-avoidable.ts';
import { attribute, breaks, holds, plan, resource, stack } from '../support.ts';

const manifest = (Manifest: unknown) =>
  stack({
    M: resource('Custom::AWSCDK-EKS-KubernetesResource', { Manifest }),
    K: resource('AWS::IAM::AccessKey'),
  });
const planned = (data: object) =>
  plan([{ type: 'kubernetes_secret', name: 's', after: { data }, sensitive: { data: true } }]);

describe('KubernetesSecretAvoidable', () => {
  breaks(
    rule,
    'keys in a manifest of the CDK',
    manifest({
      'Fn::Join': [
        '',
        [
          '[{"kind":"Secret","stringData":{"AWS_SECRET_ACCESS_KEY":"',
          attribute('K', 'SecretAccessKey'),
          '"}}]',
        ],
      ],
    }),
    [['M', /Kubernetes secret holds access keys/]],
  );
  breaks(rule, 'keys in a plan', planned({ aws_secret_access_key: 'x' }), [
    ['kubernetes_secret.s', /access keys/],
  ]);

  holds(rule, 'another secret', manifest('[{"kind":"Secret","stringData":{"password":"x"}}]'));
  holds(rule, 'another manifest', manifest('[{"kind":"Deployment","env":"AWS_SECRET_ACCESS_KEY"}]'));
  holds(rule, 'another secret in a plan', planned({ password: 'x' }));
});
