import { Collector, readByOf, type Surrounding } from '../collector.ts';
import {
  isObject,
  type Json,
  listOf,
  type ManifestDocument,
  type ManifestFile,
  objectOf,
  placeIn,
  textOf,
} from '../document.ts';
import { expanded, readsIn } from '../scripts.ts';
import { type SecretText, secretIdOf } from '../secret-id.ts';
import { baseName, type Include, type ManifestFinder, someDocument } from './finder.ts';

/** Keys at the top of a pipeline that are no jobs. */
const noJobs = new Set([
  'default',
  'include',
  'stages',
  'variables',
  'workflow',
  'spec',
  'image',
  'services',
  'cache',
]);
const scripts = ['before_script', 'script', 'after_script'];

const isJob = (value: unknown): boolean =>
  isObject(value) &&
  (scripts.some((name) => Array.isArray(value[name]) || typeof value[name] === 'string') ||
    Object.values(objectOf(value.secrets)).some((one) => isObject(one) && 'aws_secrets_manager' in one) ||
    'trigger' in value);

const isPipeline = (value: unknown): boolean =>
  isObject(value) &&
  !('jobs' in value) &&
  !('services' in value && isObject(value.services)) &&
  Object.entries(value).some(([name, job]) => !noJobs.has(name) && isJob(job));

/**
 * Finds what jobs of GitLab read: by the keyword `aws_secrets_manager`, and by the AWS CLI in scripts.
 * @see https://docs.gitlab.com/ci/secrets/aws_secrets_manager/
 */
export const gitlabCi: ManifestFinder = {
  format: 'gitlab-ci',
  title: 'Pipelines of GitLab',
  recognizes: (file) =>
    /\.ya?ml$/i.test(file.name) &&
    (/^\.gitlab-ci\.ya?ml$|\.gitlab-ci\.ya?ml$/i.test(baseName(file.name)) || someDocument(file, isPipeline)),
  find: (file) => {
    const collector = new Collector('gitlab-ci', file);
    for (const document of file.documents) {
      const pipeline = objectOf(document.value);
      for (const [name, job] of Object.entries(pipeline)) {
        if (isObject(job) && (name === 'default' || !noJobs.has(name))) {
          collectJob(collector, document, name, job, objectOf(pipeline.variables));
        }
      }
    }
    return collector.reading;
  },
  includes: (file) => file.documents.flatMap((document) => includesOf(file, document)),
};

function collectJob(
  collector: Collector,
  document: ManifestDocument,
  name: string,
  job: Json,
  shared: Json,
): void {
  const variables = new Map(
    Object.entries({ ...shared, ...objectOf(job.variables) }).flatMap(([key, value]) => {
      const text = textOf(value) ?? textOf(objectOf(value).value);
      return text === undefined ? [] : [[key, text] as const];
    }),
  );
  const environment = textOf(job.environment) ?? textOf(objectOf(job.environment).name);
  const known = environment === undefined ? undefined : expanded(environment, variables);
  const around: Surrounding = {
    region: variables.get('AWS_REGION') ?? variables.get('AWS_DEFAULT_REGION'),
    readBy: readByOf(`job ${name}`, variables.get('AWS_ROLE_ARN')),
    environment: known === undefined || known.includes('$') ? undefined : known,
  };
  for (const [secret, source] of Object.entries(objectOf(job.secrets))) {
    const written = objectOf(source).aws_secrets_manager;
    if (written === undefined) continue;
    const way = [name, 'secrets', secret, 'aws_secrets_manager'];
    collectKeyword(collector, document, way, written, around, name, (text) => expanded(text, variables));
  }
  for (const part of scripts) {
    const lines = typeof job[part] === 'string' ? [job[part]] : listOf(job[part]);
    // A variable that one line sets holds in the next.
    const whole = lines.map((line) => textOf(line) ?? '').join('\n');
    for (const { secret, line, ...read } of readsIn(whole, variables)) {
      collector.take(secretIdOf(secret), collector.at(document, [name, part, ...entryOf(lines, line)]), {
        ...around,
        ...read,
        region: read.region ?? around.region,
      });
    }
  }
}

/** Finds the entry of a script in which a line of the whole stands. */
function entryOf(lines: readonly unknown[], line: number): readonly string[] {
  let passed = 0;
  for (const [index, text] of lines.entries()) {
    passed += (textOf(text) ?? '').split('\n').length;
    if (line < passed) return lines.length === 1 ? [] : [String(index)];
  }
  return [];
}

function collectKeyword(
  collector: Collector,
  document: ManifestDocument,
  way: readonly string[],
  written: unknown,
  around: Surrounding,
  job: string,
  known: (text: string) => string,
): void {
  const place = collector.at(document, way);
  const short = textOf(written);
  if (short !== undefined) {
    const [id = '', field] = known(short).split('#');
    collector.take(withKey(secretIdOf(id), field), place, around);
    return;
  }
  const { secret_id: id, field, version_id, version_stage, region, role_arn: role } = objectOf(written);
  const text = (value: unknown): string | undefined => {
    const given = textOf(value);
    const result = given === undefined ? undefined : known(given);
    return result === undefined || result.includes('$') ? undefined : result;
  };
  collector.take(withKey(secretIdOf(known(textOf(id) ?? '')), text(field)), place, {
    ...around,
    versionId: text(version_id),
    versionStage: text(version_stage),
    region: text(region) ?? around.region,
    ...(text(role) !== undefined && { readBy: readByOf(`job ${job}`, text(role)) }),
  });
}

const withKey = (named: SecretText, key: string | undefined): SecretText =>
  named.kind === 'secret' && key !== undefined && key !== '' ? { ...named, key } : named;

function includesOf(file: ManifestFile, document: ManifestDocument): readonly Include[] {
  const { include } = objectOf(document.value);
  const list = Array.isArray(include) ? include : include === undefined || include === null ? [] : [include];
  return list.flatMap((one: unknown, index): readonly Include[] => {
    const local = textOf(one) ?? textOf(objectOf(one).local);
    if (local === undefined || /^https?:/.test(local) || /[*$]/.test(local)) return [];
    const way = ['include', ...(Array.isArray(include) ? [String(index)] : [])];
    return [{ path: local.replace(/^\//, ''), from: 'repository', place: placeIn(file, document, way) }];
  });
}
