/** The kinds of files in which references to secrets are found. */
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

/** A place in a file. */
export interface Place {
  /** Path of the file as a report shows it, with slashes. */
  readonly file: string;
  /** Line, counted from one. @default - not known, as in a plan of one line */
  readonly line?: number;
  /** Path in the document, such as `spec.data[0]`. */
  readonly pointer: string;
}

/** A consumer that reads a secret, as far as the manifest says. */
export interface ReadBy {
  readonly name: string;
  /** ARN of an IAM role, where it is known. */
  readonly roleArn?: string;
  /** Name of an IAM role whose account is not known. */
  readonly roleName?: string;
}

/** A reference to a secret of Secrets Manager in a manifest. */
export interface SecretReference {
  readonly format: ManifestFormat;
  readonly place: Place;
  /** Secret as written: a name, an ARN, or an ARN without its six random characters. */
  readonly secret: string;
  /** Region, where the manifest says it apart from the ARN. */
  readonly region?: string;
  /** Account, where the manifest says it apart from the ARN. */
  readonly account?: string;
  /** Key in the JSON of the value, dotted as written. @default - the whole value */
  readonly key?: string;
  readonly versionStage?: string;
  readonly versionId?: string;
  readonly readBy?: ReadBy;
  /**
   * Environment that the manifest itself is for. Its format says so: a label, a file name such as `application-prod.yml` or
   * `values-prod.yaml`, or `environment:` of GitHub and GitLab.
   */
  readonly environment?: string;
}

/** Kinds of things in a manifest that cannot be read as a reference. */
export type ManifestProblemCode =
  | 'ManifestUnreadable'
  | 'ManifestTooLarge'
  | 'IncludeCyclic'
  | 'IncludeMissing'
  | 'ReferenceUnresolved'
  | 'ReferenceMalformed';

/** A place in a manifest that a person must see to, since nothing can be proven of it. */
export interface ManifestProblem {
  readonly code: ManifestProblemCode;
  readonly place: Place;
  /** Text that quotes no line of the file: a line may hold a value. */
  readonly message: string;
  /** Text on what to do next. */
  readonly fix: string;
}

/** The references and problems that were read from manifests. */
export interface ManifestReading {
  readonly references: readonly SecretReference[];
  readonly problems: readonly ManifestProblem[];
}
