import { rm } from 'node:fs/promises';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Pipeline, PipelineRole } from '../../lib/index.ts';
import { type CloudCredentials, type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { type Issuers, startIssuers } from '../../local/servers/issuer.ts';
import { refusal } from './support/refusal.ts';
import { deployStack, role, type TestStack } from './support/stack.ts';

const github = 'https://token.actions.githubusercontent.com';
const gitlab = 'https://gitlab.com';
const buildkite = 'https://agent.buildkite.com';
const jenkins = 'https://jenkins.acme.example/oidc';

const pipelines = {
  Environment: Pipeline.github({ owner: 'acme', repository: 'orders', environment: 'prod' }),
  Branch: Pipeline.github({ owner: 'acme', repository: 'orders', ref: 'refs/heads/main' }),
  Numbered: Pipeline.github({
    owner: 'acme',
    ownerId: 7,
    repository: 'orders',
    repositoryId: 9,
    environment: 'prod',
  }),
  GitLab: Pipeline.gitlab({ project: 'acme/shop/orders', branch: 'main' }),
  Buildkite: Pipeline.buildkite({ organization: 'acme', pipeline: 'orders', branch: 'main' }),
  Jenkins: Pipeline.jenkins({ url: 'https://jenkins.acme.example/', job: 'shop/orders/main' }),
};
type Name = keyof typeof pipelines;

/** Claims as GitHub's page shows them: https://docs.github.com/en/actions/reference/security/oidc */
const ofGitHub = (sub: string, more: object = {}) => ({
  aud: 'sts.amazonaws.com',
  sub,
  ref: 'refs/heads/main',
  sha: '9f2c1e',
  repository: 'acme/orders',
  repository_owner: 'acme',
  repository_id: '9',
  repository_owner_id: '7',
  actor: 'ada',
  event_name: 'push',
  runner_environment: 'github-hosted',
  ...more,
});
/** https://docs.gitlab.com/ci/secrets/id_token_authentication/ */
const ofGitLab = (project: string, ref: string, more: object = {}) => ({
  aud: gitlab,
  sub: `project_path:${project}:ref_type:branch:ref:${ref}`,
  project_path: project,
  ref,
  ref_type: 'branch',
  ref_protected: 'true',
  pipeline_source: 'push',
  ...more,
});
/** https://buildkite.com/docs/agent/v3/cli-oidc */
const ofBuildkite = (pipeline: string, ref: string, organization = 'acme') => ({
  aud: 'sts.amazonaws.com',
  sub: `organization:${organization}:pipeline:${pipeline}:ref:${ref}:commit:9f2c1e:step:deploy`,
  organization_slug: organization,
  pipeline_slug: pipeline,
  build_number: 7,
  step_key: 'deploy',
});
/** https://plugins.jenkins.io/oidc-provider/ */
const ofJenkins = (job: string) => ({
  aud: 'sts.amazonaws.com',
  sub: `https://jenkins.acme.example/${job}`,
  build_number: 7,
});

const own: readonly [Name, string, object][] = [
  ['Environment', github, ofGitHub('repo:acme/orders:environment:prod')],
  ['Branch', github, ofGitHub('repo:acme/orders:ref:refs/heads/main')],
  ['Numbered', github, ofGitHub('repo:acme@7/orders@9:environment:prod')],
  ['GitLab', gitlab, ofGitLab('acme/shop/orders', 'main')],
  ['Buildkite', buildkite, ofBuildkite('orders', 'refs/heads/main')],
  ['Jenkins', jenkins, ofJenkins('job/shop/job/orders/job/main/')],
];

const neighbours: readonly [string, Name, string, object][] = [
  ['another repository', 'Environment', github, ofGitHub('repo:acme/stock:environment:prod')],
  [
    'a repository of that name of somebody else',
    'Environment',
    github,
    ofGitHub('repo:evil/orders:environment:prod'),
  ],
  ['another environment', 'Environment', github, ofGitHub('repo:acme/orders:environment:dev')],
  [
    'a branch, where an environment is asked for',
    'Environment',
    github,
    ofGitHub('repo:acme/orders:ref:refs/heads/main'),
  ],
  [
    'an environment whose name begins the same',
    'Environment',
    github,
    ofGitHub('repo:acme/orders:environment:prod2'),
  ],
  [
    'a pull request of a fork',
    'Branch',
    github,
    ofGitHub('repo:acme/orders:pull_request', { event_name: 'pull_request' }),
  ],
  ['another branch', 'Branch', github, ofGitHub('repo:acme/orders:ref:refs/heads/feature')],
  ['a tag with the name of the branch', 'Branch', github, ofGitHub('repo:acme/orders:ref:refs/tags/main')],
  [
    'the audience that GitHub sets by itself',
    'Branch',
    github,
    ofGitHub('repo:acme/orders:ref:refs/heads/main', { aud: 'https://github.com/acme' }),
  ],
  [
    'the names again, of another owner',
    'Numbered',
    github,
    ofGitHub('repo:acme@8/orders@9:environment:prod'),
  ],
  ['the names alone', 'Numbered', github, ofGitHub('repo:acme/orders:environment:prod')],
  ['another project', 'GitLab', gitlab, ofGitLab('acme/shop/stock', 'main')],
  ['a fork of the project', 'GitLab', gitlab, ofGitLab('evil/orders', 'main')],
  ['another branch', 'GitLab', gitlab, ofGitLab('acme/shop/orders', 'feature')],
  [
    'a merge request',
    'GitLab',
    gitlab,
    {
      ...ofGitLab('acme/shop/orders', '1'),
      sub: 'project_path:acme/shop/orders:ref_type:branch:ref:feature',
    },
  ],
  [
    'another audience',
    'GitLab',
    gitlab,
    ofGitLab('acme/shop/orders', 'main', { aud: 'https://vault.acme.example' }),
  ],
  ['another pipeline', 'Buildkite', buildkite, ofBuildkite('stock', 'refs/heads/main')],
  ['another organization', 'Buildkite', buildkite, ofBuildkite('orders', 'refs/heads/main', 'evil')],
  ['another branch', 'Buildkite', buildkite, ofBuildkite('orders', 'refs/heads/main-2')],
  [
    'a branch that ends in the name',
    'Buildkite',
    buildkite,
    ofBuildkite('orders', 'refs/heads/evil/refs/heads/main'),
  ],
  ['a tag', 'Buildkite', buildkite, ofBuildkite('orders', 'refs/tags/main')],
  ['another job', 'Jenkins', jenkins, ofJenkins('job/shop/job/stock/job/main/')],
  ['a pull request', 'Jenkins', jenkins, ofJenkins('job/shop/job/orders/job/PR-7/')],
  ['a job in the job', 'Jenkins', jenkins, ofJenkins('job/shop/job/orders/job/main/job/evil/')],
  ['a token of GitLab', 'Jenkins', gitlab, { ...ofJenkins('job/shop/job/orders/job/main/'), aud: gitlab }],
];

/** Roles as the construct makes them, deployed to the local cloud, and tokens in the shape of each vendor. */
describe('pipeline roles', () => {
  let directory: string;
  let cloud: LocalCloud;
  let issuers: Issuers;
  let stack: TestStack;
  const arns = {} as Record<Name, string>;

  beforeAll(async () => {
    directory = await newFolder('pipeline-roles');
    cloud = await startCloud({ directory });
    issuers = await startIssuers([github, gitlab, buildkite, jenkins]);
    for (const url of [github, gitlab, buildkite, jenkins]) {
      await cloud.issuer({ host: new URL(url).host, port: issuers.port, authority: issuers.authority });
    }
    const env = { account: cloud.accountId, region: cloud.region };
    const made = new Stack(new App(), 'pipelines', { env });
    const roles = Object.entries(pipelines).map(([name, pipeline]) => {
      const { role: of } = new PipelineRole(made, name, { environment: 'prod', pipeline, deploys: true });
      return [name, String(made.getLogicalId(of.node.defaultChild as never))] as const;
    });
    const { Resources } = Template.fromStack(made).toJSON();
    stack = await deployStack(cloud, 'pipelines', Resources);
    for (const [name, id] of roles) arns[name as Name] = stack.outputs[`${id}Arn`] ?? '';
  });

  afterAll(async () => {
    await issuers?.stop();
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function assume(name: Name, issuer: string, claims: object): Promise<CloudCredentials> {
    const sts = new STSClient(cloud.clientOptions());
    const { Credentials } = await sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: arns[name],
        RoleSessionName: 'run-7',
        WebIdentityToken: issuers.token(issuer, { ...claims }),
      }),
    );
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
    return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  }

  test.each(own)('%s: the pipeline itself gets in', async (name, issuer, claims) => {
    expect((await assume(name, issuer, claims)).accessKeyId).toMatch(/^ASIA/);
  });

  test.each(neighbours)('%s does not get into %s', async (_what, name, issuer, claims) => {
    expect(await refusal(assume(name, issuer, claims))).toMatch(/^(?:AccessDenied|InvalidIdentityToken)/);
  });

  test.each(own)('%s gets into no role but its own', async (name, issuer, claims) => {
    for (const other of Object.keys(pipelines) as Name[]) {
      if (other === name) continue;
      expect(await refusal(assume(other, issuer, claims))).toMatch(/^(?:AccessDenied|InvalidIdentityToken)/);
    }
  });

  test('a session reads its environment, hands a deploy over, and does nothing else', async () => {
    const account = { accountId: cloud.accountId, region: cloud.region };
    const deployRole = `cdk-hnb659fds-deploy-role-${account.accountId}-${account.region}`;
    const { Type, Properties } = role('lambda.amazonaws.com') as { Type: string; Properties: object };
    const AssumeRolePolicyDocument = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${account.accountId}:root` },
          Action: 'sts:AssumeRole',
        },
      ],
    };
    await deployStack(cloud, 'bootstrap', {
      Deploy: { Type, Properties: { ...Properties, RoleName: deployRole, AssumeRolePolicyDocument } },
      Other: { Type, Properties: { ...Properties, RoleName: 'other', AssumeRolePolicyDocument } },
    });
    const all = new SSMClient(cloud.clientOptions());
    for (const environment of ['prod', 'dev']) {
      const Name = `/rekey/${environment}/deployment/event-bus`;
      await all.send(new PutParameterCommand({ Name, Value: environment, Type: 'String' }));
    }
    const secrets = new SecretsManagerClient(cloud.clientOptions());
    await secrets.send(new CreateSecretCommand({ Name: '/prod/orders', SecretString: 'value' }));

    const session = cloud.clientOptions(await assume(...(own[0] as (typeof own)[number])));
    const ssm = new SSMClient(session);
    const parameter = (environment: string) =>
      ssm.send(new GetParameterCommand({ Name: `/rekey/${environment}/deployment/event-bus` }));
    expect((await parameter('prod')).Parameter?.Value).toBe('prod');
    expect(await refusal(parameter('dev'))).toContain('AccessDenied');
    const into = (name: string) =>
      new STSClient(session).send(
        new AssumeRoleCommand({
          RoleArn: `arn:aws:iam::${account.accountId}:role/${name}`,
          RoleSessionName: 'deploy',
        }),
      );
    expect((await into(deployRole)).Credentials?.AccessKeyId).toMatch(/^ASIA/);
    expect(await refusal(into('other'))).toContain('AccessDenied');
    const read = new SecretsManagerClient(session).send(
      new GetSecretValueCommand({ SecretId: '/prod/orders' }),
    );
    expect(await refusal(read)).toContain('AccessDenied');
  });
});
