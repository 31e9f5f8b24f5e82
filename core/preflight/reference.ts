/** Formats of files in which references to secrets stand. */
export type ManifestFormat =
  | 'cloudformation'
  | 'ecs-task-definition'
  | 'lambda-configuration'
  | 'external-secret'
  | 'secrets-store-csi'
  | 'helm-values'
  | 'terraform-plan'
  | 'github-actions'
  | 'gitlab-ci'
  | 'docker-compose'
  | 'dotenv'
  | 'spring'
  | 'dotnet'
  | 'rekey-manifest';

/** The place of something in a file. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  /** Path in the document, such as `spec.data[0]`. */
  readonly pointer: string;
}

/** The reader of a secret, as far as the manifest says. */
export interface ReadBy {
  readonly name: string;
  /** ARN of an IAM role, where it is known. */
  readonly roleArn?: string;
  /** Name of an IAM role whose account is not known. */
  readonly roleName?: string;
}

/** A place in a manifest that names a secret for somebody to read. */
export interface SecretReference {
  readonly format: ManifestFormat;
  readonly place: Place;
  /** Secret as written: a name, an ARN, or an ARN without its six random characters. */
  readonly secret: string;
  /** Region, where the manifest says it apart from the ARN. */
  readonly region?: string;
  /** Account, where the manifest says it apart from the ARN. */
  readonly account?: string;
  /** Key in the JSON of the value, dotted as written. */
  readonly key?: string;
  readonly versionStage?: string;
  readonly versionId?: string;
  readonly readBy?: ReadBy;
  /**
   * Environment that the manifest itself is for, where its format says so. That is a label, a file name such as
   * `application-prod.yml`, or `environment:` of GitHub Actions.
   */
  readonly environment?: string;
}

/** Code of what a manifest holds that cannot be read as a reference. */
export type ManifestProblemCode =
  | 'ManifestUnreadable'
  | 'ManifestTooLarge'
  | 'IncludeCyclic'
  | 'IncludeMissing'
  | 'ReferenceUnresolved'
  | 'ReferenceMalformed';

/** A thing in a manifest that cannot be read as a reference. */
export interface ManifestProblem {
  readonly code: ManifestProblemCode;
  readonly place: Place;
  readonly message: string;
  readonly fix: string;
}

/** References and problems of manifests. */
export interface ManifestReading {
  readonly references: readonly SecretReference[];
  readonly problems: readonly ManifestProblem[];
}
