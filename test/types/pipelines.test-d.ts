import type { Role } from 'aws-cdk-lib/aws-iam';
import {
  type GitHubJob,
  type GitHubRepository,
  type GitLabRef,
  Pipeline,
  PipelineRole,
  type PipelineRoleProps,
  type PipelineService,
  type PipelineTokens,
} from '../../lib/index.ts';
import { same } from './same.ts';
import { stack } from './surroundings.ts';

const acme = { owner: 'acme', repository: 'orders' } as const;
const pipeline = Pipeline.github({ ...acme, environment: 'prod' });
same<PipelineTokens | PipelineService>()(pipeline.trusted);
const least: PipelineRoleProps = { environment: 'prod', pipeline };
same<Role>()(new PipelineRole(stack, 'Pipeline', { ...least, deploys: true }).role);
same<GitHubRepository & GitHubJob>()({ ...acme, environment: 'prod' } as Parameters<
  typeof Pipeline.github
>[0]);
const main: GitLabRef = { branch: 'main' };
Pipeline.gitlab({ project: 'acme/orders', ...main });
// @ts-expect-error a job has a branch or an environment
Pipeline.github(acme);
// @ts-expect-error and not both
Pipeline.github({ ...acme, environment: 'prod', ref: 'refs/heads/main' });
// @ts-expect-error one number is worth nothing without the other
Pipeline.github({ ...acme, environment: 'prod', ownerId: 7 });
// @ts-expect-error a project has a branch or a tag
Pipeline.gitlab({ project: 'acme/orders' });
// @ts-expect-error a pipeline is made by its vendor's method
new Pipeline('any', { service: 'codepipeline', resource: 'orders' });
