import { Token } from 'aws-cdk-lib';
import { RekeyError } from '../../core/errors/rekey-error.ts';

/** The tokens of OpenID Connect that a role trusts. */
export interface PipelineTokens {
  /** URL of the issuer. */
  readonly issuer: string;
  readonly audience: string;
  /** Subject that a token must have. Where the vendor puts the commit into it, `*` stands for what follows the branch. */
  readonly subject: string;
}

/** The service of AWS that a role trusts, and for which of its resources it must act. */
export interface PipelineService {
  readonly service: string;
  /** Name of the service's resource: `orders` for a pipeline. */
  readonly resource: string;
}

/** Characters of one part of a subject. A colon would begin the next part, and `*` and `?` match others. */
const plain = /^[A-Za-z0-9._-]{1,100}$/;
/** Names of branches and tags: Git forbids `:`, `*`, `?`, `[`, `\`, `^`, `~` and blanks in them. */
const reference = /^(?!.*\.\.)[A-Za-z0-9._/@+#=,-]{1,200}$/;
const path = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;

function checked(pipeline: string, name: string, value: string, pattern: RegExp, hint: string): string {
  if (Token.isUnresolved(value) || !pattern.test(value)) {
    throw new RekeyError(
      'ConstructInvalid',
      `${pipeline}: ${name} ${Token.isUnresolved(value) ? 'is known at the deploy only' : JSON.stringify(value.slice(0, 100))}; ${hint}. A role that trusts more than one pipeline would be everybody's`,
    );
  }
  return value;
}

const exact = 'write it in full, without * and ?';

/** The ref or the environment that a job of GitHub runs for. */
export type GitHubJob =
  | { readonly environment: string; readonly ref?: never }
  /** Full name of a branch or tag: `refs/heads/main`. */
  | { readonly ref: string; readonly environment?: never };

/** A repository of GitHub, with its numbers where its tokens have them. */
export type GitHubRepository = {
  readonly owner: string;
  readonly repository: string;
} & (
  | { readonly ownerId: number; readonly repositoryId: number }
  | { readonly ownerId?: never; readonly repositoryId?: never }
);

/** The branch or tag that a job of GitLab runs for. */
export type GitLabRef =
  | { readonly branch: string; readonly tag?: never }
  | { readonly tag: string; readonly branch?: never };

/**
 * One pipeline, as its vendor names it in the tokens that it issues. Nothing of it can be left open.
 *
 * @example
 * const pipeline = Pipeline.github({ owner: 'acme', repository: 'orders', environment: 'prod' });
 */
export class Pipeline {
  private readonly description: string;
  private readonly identity: PipelineTokens | PipelineService;

  private constructor(description: string, identity: PipelineTokens | PipelineService) {
    this.description = description;
    this.identity = identity;
  }

  /** Names the pipeline for people. */
  get name(): string {
    return this.description;
  }

  /** Gives what a role has to trust. */
  get trusted(): PipelineTokens | PipelineService {
    return this.identity;
  }

  /**
   * Names jobs of GitHub Actions: those of one environment, or of one branch or tag. Jobs of pull requests are of no branch. One that
   * names the environment has the same subject as a deploy: the environment's protection rules alone keep it out, so restrict its
   * deployment branches.
   *
   * Repositories that were created or renamed since 15 July 2026 have numbers in their subject, so that nobody gets in who later
   * takes a name over: give `ownerId` and `repositoryId` for these.
   * @throws RekeyError `ConstructInvalid` where a part is open
   * @see https://docs.github.com/en/actions/reference/security/oidc
   * @see https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
   */
  static github(job: GitHubRepository & GitHubJob): Pipeline {
    const part = (name: string, value: string) => checked('GitHub', name, value, plain, exact);
    const numbered = (name: string, id: number | undefined) => {
      if (id === undefined) return name;
      if (!Number.isInteger(id) || id < 1) {
        throw new RekeyError('ConstructInvalid', `GitHub: ${id} is no number of an owner or a repository`);
      }
      return `${name}@${id}`;
    };
    const owner = numbered(part('owner', job.owner), job.ownerId);
    const repository = numbered(part('repository', job.repository), job.repositoryId);
    const run =
      job.environment === undefined
        ? `ref:${checked('GitHub', 'ref', job.ref, /^refs\/(?:heads|tags)\/./, 'write refs/heads/<branch> or refs/tags/<tag>') && checked('GitHub', 'ref', job.ref, reference, exact)}`
        : `environment:${part('environment', job.environment)}`;
    return new Pipeline(`GitHub ${owner}/${repository} ${run}`, {
      issuer: 'https://token.actions.githubusercontent.com',
      audience: 'sts.amazonaws.com',
      subject: `repo:${owner}/${repository}:${run}`,
    });
  }

  /**
   * Names jobs of GitLab that run for one branch or tag of a project. Protect the branch, or whoever may push to it gets in.
   * @param job - `project` is its path with all groups; `instance` the URL of a GitLab of one's own
   * @throws RekeyError `ConstructInvalid` where a part is open
   * @see https://docs.gitlab.com/ci/secrets/id_token_authentication/
   * @see https://docs.gitlab.com/ci/cloud_services/aws/
   */
  static gitlab(job: { readonly project: string; readonly instance?: string } & GitLabRef): Pipeline {
    const issuer = httpsUrl('GitLab', 'instance', job.instance ?? 'https://gitlab.com');
    const project =
      checked('GitLab', 'project', job.project, /^[^/]+\/.+$/, 'write its path with the group') &&
      checked('GitLab', 'project', job.project, path, exact);
    const [kind, ref] = job.tag === undefined ? ['branch', job.branch] : ['tag', job.tag];
    const run = `ref_type:${kind}:ref:${checked('GitLab', kind, ref, reference, exact)}`;
    return new Pipeline(`GitLab ${project} ${run}`, {
      issuer,
      audience: issuer,
      subject: `project_path:${project}:${run}`,
    });
  }

  /**
   * Names jobs of Buildkite that run for one branch of a pipeline. Buildkite puts commit and step behind the branch, which are other
   * ones each time; Git allows no colon in a branch, so none can pass for another.
   *
   * Builds of forks have the branch's name of the fork. Switch on that it is prefixed, or that forks are not built.
   * @param job - slugs of the organization and the pipeline
   * @throws RekeyError `ConstructInvalid` where a part is open
   * @see https://buildkite.com/docs/agent/v3/cli-oidc
   * @see https://buildkite.com/docs/pipelines/security/oidc/aws
   */
  static buildkite(job: {
    readonly organization: string;
    readonly pipeline: string;
    readonly branch: string;
  }): Pipeline {
    const part = (name: string, value: string) => checked('Buildkite', name, value, plain, exact);
    const of = `organization:${part('organization', job.organization)}:pipeline:${part('pipeline', job.pipeline)}`;
    const ref = `ref:refs/heads/${checked('Buildkite', 'branch', job.branch, reference, exact)}`;
    return new Pipeline(`Buildkite ${job.organization}/${job.pipeline} ${job.branch}`, {
      issuer: 'https://agent.buildkite.com',
      audience: 'sts.amazonaws.com',
      subject: `${of}:${ref}:commit:*`,
    });
  }

  /**
   * Names builds of one job of a Jenkins that has the plugin OpenID Connect Provider. Its `sub` must be the URL of the job, as it is
   * by default, and its audience `sts.amazonaws.com`. A job that builds pull requests of forks lets them in.
   * @param job - `url` of Jenkins; `job` is its path, with folders and, of a multibranch job, the branch: `shop/orders/main`
   * @throws RekeyError `ConstructInvalid` where a part is open
   * @see https://plugins.jenkins.io/oidc-provider/
   */
  static jenkins({ url, job }: { readonly url: string; readonly job: string }): Pipeline {
    const root = httpsUrl('Jenkins', 'url', url);
    const names = checked('Jenkins', 'job', job, path, exact).split('/');
    return new Pipeline(`Jenkins ${job}`, {
      issuer: `${root}/oidc`,
      audience: 'sts.amazonaws.com',
      subject: `${root}/${names.map((name) => `job/${name}/`).join('')}`,
    });
  }

  /**
   * Names a pipeline of CodePipeline in the account and region of the role. The role is then its service role, and its *Commands*
   * actions run with it. There is no token: the service says for which pipeline it acts.
   * @throws RekeyError `ConstructInvalid` where a part is open
   * @see https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Commands.html
   * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
   */
  static codePipeline({ pipeline }: { readonly pipeline: string }): Pipeline {
    const resource = checked('CodePipeline', 'pipeline', pipeline, /^[A-Za-z0-9.@_-]{1,100}$/, exact);
    return new Pipeline(`CodePipeline ${resource}`, { service: 'codepipeline', resource });
  }
}

/** Checks the URL of an issuer, and takes a slash from its end, as IAM wants it. */
function httpsUrl(pipeline: string, name: string, url: string): string {
  return checked(
    pipeline,
    name,
    url.replace(/\/+$/, ''),
    /^https:\/\/[a-z0-9.-]+(?:\/[A-Za-z0-9._/-]+)?$/,
    'write it as https://host; IAM takes no port',
  );
}
