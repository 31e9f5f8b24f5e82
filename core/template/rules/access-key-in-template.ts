import { inDialect, type TemplateRule } from '../rule.ts';
import { literalText } from '../value.ts';

/** Refuses access keys of IAM users that a template makes. */
export const accessKeyInTemplate: TemplateRule<'AccessKeyInTemplate'> = {
  description: {
    id: 'AccessKeyInTemplate',
    severity: 'error',
    demand: 'No template makes an access key; workloads take roles.',
    reason:
      'The key works until somebody removes it, its secret passes through the stack or the state, and a rotation of it is drift.',
    controls: [
      'PCI DSS 4.0.1 8.6.2',
      'PCI DSS 4.0.1 8.6.3',
      'SOC 2 CC6.1',
      'ISO 27001:2022 A.5.17',
      'NIST 800-53 r5 IA-5(1)',
      'CIS AWS Foundations 1.14',
      'OWASP NHI 2025 NHI4',
      'OWASP NHI 2025 NHI7',
    ],
  },
  *check(world) {
    for (const key of world.ofType('AWS::IAM::AccessKey')) {
      const user = world.target(key.properties.UserName, 'AWS::IAM::User');
      const name =
        literalText(user?.properties.UserName) ?? literalText(key.properties.UserName) ?? user?.id ?? '';
      yield {
        on: key,
        message: `the template makes an access key${name === '' ? '' : ` of user ${name}`}`,
        fix: forPipelines.test(name)
          ? 'let the pipeline take a role by OpenID Connect (GitHub, GitLab and others have an identity provider for it): this secret need not exist'
          : inDialect(key, {
              cloudformation:
                'give the workload a role; where only a key will do, make it outside of the template and adopt it as a secret of type iam-access-key, which rotates it',
              terraform:
                'give the workload a role; where only a key will do, make it outside of Terraform and have it rotated as a secret of type iam-access-key',
            }),
      };
    }
  },
};

/** Names of users that pipelines work as. */
const forPipelines =
  /(?:^|[-_./])(?:ci|cd|cicd|github|gitlab|bitbucket|jenkins|circleci|travis|buildkite|azuredevops|deploy|deployer|deployment|pipeline|actions|terraform)(?:$|[-_./])|(?:github|gitlab|jenkins|circleci|deploy)/i;
