import { expect, test } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { OidcProviderNative } from 'aws-cdk-lib/aws-iam';
import { Pipeline, PipelineRole } from '../../lib/index.ts';

const env = { account: '111122223333', region: 'eu-central-1' };
const github = Pipeline.github({ owner: 'acme', repository: 'orders', environment: 'prod' });
const made = () => new Stack(new App(), 'pipelines', { env });

test('roles of one issuer share its provider, and one that is there is taken', () => {
  const stack = made();
  new PipelineRole(stack, 'Orders', { environment: 'prod', pipeline: github });
  new PipelineRole(stack, 'Stock', {
    environment: 'prod',
    pipeline: Pipeline.github({ owner: 'acme', repository: 'stock', ref: 'refs/heads/main' }),
  });
  const arn = 'arn:aws:iam::111122223333:oidc-provider/gitlab.com';
  new PipelineRole(stack, 'There', {
    environment: 'prod',
    pipeline: Pipeline.gitlab({ project: 'acme/orders', branch: 'main' }),
    provider: OidcProviderNative.fromOidcProviderArn(stack, 'GitLab', arn),
  });
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::IAM::OIDCProvider', 1);
  template.hasResourceProperties('AWS::IAM::Role', {
    AssumeRolePolicyDocument: { Statement: [Match.objectLike({ Principal: { Federated: arn } })] },
  });
});

test('CodePipeline is trusted for one pipeline of the account', () => {
  const stack = made();
  new PipelineRole(stack, 'Orders', {
    environment: 'prod',
    pipeline: Pipeline.codePipeline({ pipeline: 'orders' }),
  });
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Role', {
    AssumeRolePolicyDocument: {
      Statement: [
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Principal: { Service: 'codepipeline.amazonaws.com' },
          Condition: {
            StringEquals: { 'aws:SourceAccount': '111122223333' },
            ArnEquals: {
              'aws:SourceArn': {
                'Fn::Join': [
                  '',
                  ['arn:', { Ref: 'AWS::Partition' }, ':codepipeline:eu-central-1:111122223333:orders'],
                ],
              },
            },
          },
        },
      ],
    },
  });
});

test('who does not deploy assumes nothing', () => {
  const stack = made();
  new PipelineRole(stack, 'Orders', { environment: 'prod', pipeline: github });
  const policies = JSON.stringify(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
  expect(policies).not.toContain('cdk-hnb659fds');
  expect(policies).toMatch(/"NoOtherIdentity"/);
});

test('a qualifier is one', () => {
  expect(
    () =>
      new PipelineRole(made(), 'Orders', {
        environment: 'prod',
        pipeline: github,
        deploys: true,
        bootstrapQualifier: '*',
      }),
  ).toThrow(expect.objectContaining({ code: 'ConstructInvalid' }));
});
