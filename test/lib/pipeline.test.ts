import { describe, expect, test } from '@jest/globals';
import { Lazy } from 'aws-cdk-lib';
import { Pipeline } from '../../lib/access/pipeline.ts';

const github = { owner: 'acme', repository: 'orders' } as const;

describe('a pipeline is named in full', () => {
  test.each<[string, Pipeline, object]>([
    [
      'GitHub, an environment',
      Pipeline.github({ ...github, environment: 'prod' }),
      { subject: 'repo:acme/orders:environment:prod', audience: 'sts.amazonaws.com' },
    ],
    [
      'GitHub, a branch, with numbers',
      Pipeline.github({ ...github, ownerId: 7, repositoryId: 9, ref: 'refs/heads/release/1.x' }),
      { subject: 'repo:acme@7/orders@9:ref:refs/heads/release/1.x' },
    ],
    [
      'GitLab, a tag, an instance of its own',
      Pipeline.gitlab({ project: 'acme/shop/orders', tag: 'v1.2', instance: 'https://git.acme.example/' }),
      {
        issuer: 'https://git.acme.example',
        audience: 'https://git.acme.example',
        subject: 'project_path:acme/shop/orders:ref_type:tag:ref:v1.2',
      },
    ],
    [
      'Buildkite, a branch',
      Pipeline.buildkite({ organization: 'acme', pipeline: 'orders', branch: 'main' }),
      { subject: 'organization:acme:pipeline:orders:ref:refs/heads/main:commit:*' },
    ],
    [
      'Jenkins, a job in a folder',
      Pipeline.jenkins({ url: 'https://jenkins.acme.example', job: 'shop/orders' }),
      {
        issuer: 'https://jenkins.acme.example/oidc',
        subject: 'https://jenkins.acme.example/job/shop/job/orders/',
      },
    ],
    [
      'CodePipeline',
      Pipeline.codePipeline({ pipeline: 'orders' }),
      { service: 'codepipeline', resource: 'orders' },
    ],
  ])('%s', (_name, { trusted }, expected) => {
    expect(trusted).toMatchObject(expected);
  });

  const open = ['*', 'acme*', 'a?me', '', 'a:b', 'a b', 'a\nb', Lazy.string({ produce: () => 'late' })];
  const parts: readonly [string, (value: string) => Pipeline][] = [
    ['the owner of GitHub', (owner) => Pipeline.github({ ...github, owner, environment: 'prod' })],
    [
      'the repository of GitHub',
      (repository) => Pipeline.github({ ...github, repository, environment: 'prod' }),
    ],
    ['the environment of GitHub', (environment) => Pipeline.github({ ...github, environment })],
    ['the ref of GitHub', (ref) => Pipeline.github({ ...github, ref })],
    ['the branch in a ref of GitHub', (name) => Pipeline.github({ ...github, ref: `refs/heads/${name}` })],
    ['the project of GitLab', (name) => Pipeline.gitlab({ project: `acme/${name}`, branch: 'main' })],
    ['the group of GitLab', (name) => Pipeline.gitlab({ project: name, branch: 'main' })],
    ['the branch of GitLab', (branch) => Pipeline.gitlab({ project: 'acme/orders', branch })],
    ['the tag of GitLab', (tag) => Pipeline.gitlab({ project: 'acme/orders', tag })],
    [
      'the instance of GitLab',
      (name) => Pipeline.gitlab({ project: 'a/b', branch: 'c', instance: `http://${name}` }),
    ],
    [
      'the organization of Buildkite',
      (organization) => Pipeline.buildkite({ organization, pipeline: 'a', branch: 'b' }),
    ],
    [
      'the pipeline of Buildkite',
      (pipeline) => Pipeline.buildkite({ organization: 'a', pipeline, branch: 'b' }),
    ],
    ['the branch of Buildkite', (branch) => Pipeline.buildkite({ organization: 'a', pipeline: 'b', branch })],
    ['the job of Jenkins', (job) => Pipeline.jenkins({ url: 'https://j.example', job })],
    ['the pipeline of CodePipeline', (pipeline) => Pipeline.codePipeline({ pipeline })],
  ];
  test.each(parts)('%s cannot be left open', (_name, make) => {
    for (const value of open) {
      expect(() => make(value)).toThrow(expect.objectContaining({ code: 'ConstructInvalid' }));
    }
  });

  test('numbers of GitHub are numbers', () => {
    expect(() => Pipeline.github({ ...github, ownerId: 0, repositoryId: 9, environment: 'a' })).toThrow(
      'no number',
    );
  });
});
