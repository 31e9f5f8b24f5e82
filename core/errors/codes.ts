/**
 * Every code of an error, by where it arises. `true` stands where the same call may succeed later without anybody changing
 * anything. Functions carry only this; what each code means and who can mend it stands in `catalogue/`.
 */
export const codes = {
  target: {
    TargetUnreachable: true,
    TargetBusy: true,
    TlsRefused: false,
    AuthenticationRefused: false,
    PermissionMissing: false,
    DatabaseMissing: false,
    TargetTimeout: true,
    PolicyRefused: false,
    TargetRefused: false,
  },
  secret: {
    StepUnknown: false,
    RotationEventInvalid: false,
    SecretMissing: false,
    SecretNameInvalid: false,
    SecretAccessDenied: false,
    SecretKeyUnusable: false,
    SecretReadOnly: false,
    SecretTooLarge: false,
    VersionQuotaReached: true,
    LabelQuotaReached: false,
    SecretValueMissing: false,
    SecretValueInvalid: false,
    RotationDisabled: false,
    RotationPaused: true,
    SecretExpired: false,
    RotationBraked: false,
    CanaryUnfinished: true,
    RotationFunctionDenied: false,
    VersionUnknown: false,
    VersionNotPending: false,
    PendingValueRefused: false,
    PendingOutdated: false,
    IdentityMismatch: false,
    AdminSecretMissing: false,
    AdminSecretMismatch: false,
    CredentialUnusable: false,
    CredentialNotYetAccepted: true,
    StrategyUnsupported: false,
    CurrentMoved: true,
    SlotsTaken: false,
    SlotsBusy: true,
    ManagedByAws: false,
    SessionCutoffInvalid: false,
  },
  aws: {
    AccessDenied: false,
    CredentialsMissing: false,
    CredentialsExpired: false,
    CredentialsInvalid: false,
    RegionMissing: false,
    ClockWrong: false,
    EndpointUntrusted: false,
    Unreachable: true,
    Throttled: true,
    ServiceUnavailable: true,
    ResourceBusy: true,
    ResourceMissing: false,
    QuotaReached: false,
    KeyUnusable: false,
    CallInvalid: false,
    CallRefused: false,
  },
  rotation: {
    RotationNotStarted: true,
    PasswordPolicyInvalid: false,
    DefinitionInvalid: false,
    DefinitionUnavailable: true,
    DefinitionUnreadable: false,
    OverlapsNotEnded: false,
    OverlapsDelayed: true,
    ForeignRotationFailed: true,
    RotationAbandoned: false,
    ObservationMalformed: false,
    LifecycleIncomplete: true,
    FunctionMisconfigured: false,
    AnswerNotStored: true,
    Unexpected: false,
  },
  audit: {
    AuditUnavailable: true,
    AuditRefused: false,
    RecordTooLarge: false,
    AuditContended: true,
    AuditKeyUnusable: false,
  },
  revocation: {
    RequestMalformed: false,
    RequestConflict: false,
    RequestReplayed: false,
    RequestTooOld: false,
    RequestInFuture: false,
    SourceNotAllowed: false,
    AccountNotAllowed: false,
    EnvironmentMismatch: false,
    SecretUnknown: false,
    VersionsNotKept: false,
    LabelsOutdated: true,
    RotationPending: true,
    RevocationUnproven: true,
    ContainmentFunctionMissing: false,
    FunctionFailed: true,
    WorkflowEnded: true,
  },
  fingerprint: {
    LookupMalformed: false,
    LookupsExhausted: true,
    FingerprintsIncomplete: true,
    FingerprintsDelayed: true,
    FingerprintsOff: false,
  },
  notification: {
    ChannelThrottled: true,
    ChannelUnavailable: true,
    ChannelRefused: false,
    ChannelCredentialRefused: false,
    ChannelSecretInvalid: false,
    ChannelHostRefused: false,
    NotificationMalformed: false,
    NotifierSettingsInvalid: false,
    NotificationsUndelivered: true,
  },
  approval: {
    IdentityUnproven: false,
    PersonUnnamed: false,
    PersonNotPermitted: false,
    AuthorUnproven: false,
    AuthorConflict: false,
    BreakGlassForbidden: false,
    ApprovalMalformed: false,
    ApprovalUnknown: false,
    ApproverIsAuthor: false,
    ApproverNotNamed: false,
    ApprovalDecided: false,
    ApprovalRefused: false,
    ApprovalExpired: false,
    LinkInvalid: false,
  },
  signal: {
    SignalMalformed: false,
    SignalForged: false,
    SignalStale: false,
    SignalKeyUnknown: false,
    SignalSecretInvalid: false,
    SignalNotTaken: true,
    ScanReportInvalid: false,
  },
  deployment: {
    ConfigurationInvalid: false,
    ConstructInvalid: false,
    PolicyBroken: false,
  },
  cli: {
    NodeTooOld: false,
    UsageInvalid: false,
    EnvironmentMissing: false,
    EnvironmentAmbiguous: false,
    EnvironmentUnknown: false,
    ProfileUnknown: false,
    ConfirmationMissing: false,
    NotConfirmed: false,
    TimeInvalid: false,
    DurationInvalid: false,
    RequestInvalid: false,
    HeadInvalid: false,
    ValueInArgument: false,
    ValueMissing: false,
    ValueTooLong: false,
    TemplateUnreadable: false,
    WaiversInvalid: false,
    CopyMissing: false,
    DeploymentIncomplete: false,
    FunctionMissing: false,
    RotationRefused: true,
    RotationRunning: true,
  },
  local: {
    CloudPortTaken: false,
    CloudAlreadyRunning: false,
    CloudNotHealthy: false,
    LocalCloudRunning: false,
    LocalCloudStuck: false,
    PythonMissing: false,
    PythonEnvironmentFailed: false,
    ProgramEnded: false,
    ProgramFailed: false,
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, boolean>>>>;

export type ErrorGroup = keyof typeof codes;
/** The codes of one group. */
export type ErrorCodeOf<Group extends ErrorGroup> = {
  [G in Group]: keyof (typeof codes)[G];
}[Group] &
  string;
export type ErrorCode = ErrorCodeOf<ErrorGroup>;

const retried: ReadonlyMap<string, boolean> = new Map(
  Object.values(codes).flatMap((group) => Object.entries(group)),
);

/** Tells a code of Rekey's from any other text. */
export const isErrorCode = (text: string): text is ErrorCode => retried.has(text);

/** Says whether the same call may succeed later without anybody changing anything. */
export const isRetryable = (code: ErrorCode): boolean => retried.get(code) === true;

/** Lists the codes of some groups that pass by themselves. */
export function retryableCodes<Group extends ErrorGroup>(...groups: readonly Group[]): ErrorCodeOf<Group>[] {
  return groups.flatMap((group) =>
    (Object.entries(codes[group]) as [ErrorCodeOf<Group>, boolean][])
      .filter(([, passes]) => passes)
      .map(([code]) => code),
  );
}
