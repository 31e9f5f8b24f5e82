import type { Entries } from './entry.ts';

/** Errors of the configuration and of the CDK constructs, at synth. */
export const deployment: Entries<'deployment'> = {
  ConfigurationInvalid: {
    meaning:
      'The configuration cannot be used; the message lists every problem with its path, value and limit.',
    mender: 'operator',
    remedy: 'Correct what the message lists.',
  },
  ConstructInvalid: {
    meaning: 'A construct was given what it could not deploy.',
    mender: 'operator',
    remedy: 'Correct the properties that the message names.',
  },
  PolicyBroken: {
    meaning: 'A configuration breaks rules of its policy that stop a synth.',
    mender: 'operator',
    remedy:
      'Do what the message says under each rule; `rekey policy explain` shows where a demand comes from. A waiver with a reason and a last day keeps a rule broken for a while.',
  },
};

/** Errors of the command line. */
export const cli: Entries<'cli'> = {
  NodeTooOld: {
    meaning: 'The Node.js that runs the command line is older than the one it needs.',
    mender: 'caller',
    remedy: 'Run it on the version that the message names, or a later one.',
  },
  UsageInvalid: {
    meaning: 'The command, an option or an argument does not exist, or one is missing.',
    mender: 'caller',
    remedy: '`--help` shows what there is.',
  },
  EnvironmentMissing: {
    meaning: 'No environment is deployed in this account and region.',
    mender: 'caller',
    remedy: 'Check `--region` and `--profile`, or deploy one.',
  },
  EnvironmentAmbiguous: {
    meaning: 'Several environments are deployed here and none was named.',
    mender: 'caller',
    remedy: 'Choose one with `--environment` or `REKEY_ENVIRONMENT`.',
  },
  EnvironmentUnknown: {
    meaning: 'The environment that was named is not deployed here, or cannot be a name.',
    mender: 'caller',
    remedy: 'Take one of the names in the message.',
  },
  ProfileUnknown: {
    meaning: 'The profile of `--profile` or `AWS_PROFILE` is not in the AWS configuration.',
    mender: 'caller',
    remedy: 'Take one of those that `aws configure list-profiles` lists, or add it with `aws configure`.',
  },
  ConfirmationMissing: {
    meaning: 'Standard input is no terminal, so nobody can be asked.',
    mender: 'caller',
    remedy: 'Give `--yes` to go ahead.',
  },
  NotConfirmed: {
    meaning: 'The question was not answered with yes; nothing was changed.',
    mender: 'caller',
    remedy: 'Run the command again and answer `y`, or give `--yes`.',
  },
  TimeInvalid: {
    meaning: 'A time on the command line is none.',
    mender: 'caller',
    remedy: 'Write it as the message shows.',
  },
  DurationInvalid: {
    meaning: 'A duration on the command line is none.',
    mender: 'caller',
    remedy: 'Write it as the message shows.',
  },
  RequestInvalid: {
    meaning: 'The options make a request for revocation that the intake would refuse.',
    mender: 'caller',
    remedy: 'Correct the options that the message names.',
  },
  HeadInvalid: {
    meaning: '`--expect-head` is not a head as `rekey audit verify` prints it.',
    mender: 'caller',
    remedy: 'Paste the whole `<sequence>:<hash>`.',
  },
  ValueInArgument: {
    meaning:
      '`rekey whose` was given an argument that is neither the id of an access key nor a SHA-256. It may be a secret, so it is not repeated, and nothing was looked up.',
    mender: 'caller',
    remedy:
      'Give a value on standard input. The shell may have written what was typed into its history, and other users of the machine may have seen it: take it for leaked.',
  },
  ValueMissing: {
    meaning: 'Standard input held nothing to look up.',
    mender: 'caller',
    remedy: 'Type the value when asked for it, or pipe it in.',
  },
  ValueTooLong: {
    meaning: 'Standard input held more than a secret can.',
    mender: 'caller',
    remedy: 'Give the value alone, or hashes of the candidates with `--hashes`.',
  },
  TemplateUnreadable: {
    meaning: 'A file to check is not there, or holds no CloudFormation template and no Terraform plan.',
    mender: 'caller',
    remedy: 'Name templates, `cdk.out`, or a plan that `terraform show -json` has written.',
  },
  WaiversInvalid: {
    meaning: 'The file of waivers cannot be read, or an entry of it lacks a part.',
    mender: 'caller',
    remedy: 'Give each entry `rule`, `subject` and `reason`, and `until` where it ends.',
  },
  CopyMissing: {
    meaning: 'The directory is not a copy of an audit log.',
    mender: 'caller',
    remedy: 'Give the folder that holds `entries/`, as `aws s3 sync` writes it.',
  },
  IncidentUnknown: {
    meaning: 'No incident in the records that were read has this name or id.',
    mender: 'caller',
    remedy: 'Take one that `rekey incident list` shows, or look further back with `--since`.',
  },
  ReportNotWritten: {
    meaning: 'The files of a report could not be written.',
    mender: 'caller',
    remedy: 'Name a folder that can be written to; the message holds what the system answered.',
  },
  SecretReferenceInvalid: {
    meaning: 'What `--secret` of `rekey exec` was given names no secret, key or label.',
    mender: 'caller',
    remedy: 'Write `[NAME=]<name or ARN>[#key][@label]`.',
  },
  VariableNameRefused: {
    meaning:
      'A key of a secret would make a variable that no environment takes, or one that decides what code a process runs. Nothing was started.',
    mender: 'caller',
    remedy: 'Give a prefix for its keys (`PREFIX_*=<id>`), or name single keys (`NAME=<id>#key`).',
  },
  VariableTaken: {
    meaning: 'Two secrets of `rekey exec` would set the same variable. Nothing was started.',
    mender: 'caller',
    remedy: 'Give one of them a prefix (`PREFIX_*=<id>`), or name single keys (`NAME=<id>#key`).',
  },
  VariableValueRefused: {
    meaning:
      'A value cannot be in an environment, or not in dotenv, without being another one for its reader.',
    mender: 'caller',
    remedy: 'Take JSON through a descriptor: `--env-file-descriptor 3 --format json`.',
  },
  CommandMissing: {
    meaning: 'The command of `rekey exec` is not in `PATH`, or its file is not there. Exit code 127.',
    mender: 'caller',
    remedy: 'Correct the command behind `--`.',
  },
  CommandRefused: {
    meaning: 'The system does not start the command of `rekey exec`. Exit code 126.',
    mender: 'caller',
    remedy: 'Make the file executable, or do what the message says.',
  },
  DeploymentIncomplete: {
    meaning: 'A fact of the environment is not in SSM: the stack that writes it is not deployed.',
    mender: 'operator',
    remedy: 'Deploy the environment to its end.',
  },
  FunctionMissing: {
    meaning: 'The rotation function of the secret does not exist.',
    mender: 'operator',
    remedy: 'Deploy the environment again.',
  },
  RotationRefused: {
    meaning: 'Secrets Manager did not start a rotation because of an earlier one, which has ended by now.',
    mender: 'nobody, it passes',
    remedy: 'Run the command again.',
  },
  RotationRunning: {
    meaning: 'A rotation may be under way, so it is not given up.',
    mender: 'nobody, it passes',
    remedy: 'Wait until it ends (`rekey secret show`), or add `--force`.',
  },
};

/** Errors of the local cloud. */
export const local: Entries<'local'> = {
  CloudPortTaken: {
    meaning: 'The port for the local cloud is taken.',
    mender: 'caller',
    remedy: 'End what listens there, or choose another port.',
  },
  CloudAlreadyRunning: {
    meaning: 'The local cloud of this directory runs already.',
    mender: 'caller',
    remedy: 'Use it, or end it with `npm run local:down`.',
  },
  CloudNotHealthy: {
    meaning: 'The local cloud did not come up, or ended.',
    mender: 'caller',
    remedy: 'The message holds the end of its log.',
  },
  LocalCloudRunning: {
    meaning: 'Another process of this checkout holds the local cloud.',
    mender: 'caller',
    remedy: 'Wait until it ends, or end it with `npm run local:down`.',
  },
  LocalCloudStuck: {
    meaning: 'The local cloud of this checkout does not end.',
    mender: 'caller',
    remedy: 'End the processes that the message names.',
  },
  PythonMissing: {
    meaning: 'There is no Python that can run the local cloud.',
    mender: 'caller',
    remedy: 'Install the version that the message names.',
  },
  PythonEnvironmentFailed: {
    meaning: 'The Python packages of the local cloud could not be installed.',
    mender: 'caller',
    remedy: 'Look at what pip says in the message, and at the way to its index.',
  },
  ProgramEnded: {
    meaning: 'A program that the tour runs was killed, or took too long.',
    mender: 'caller',
    remedy: 'The message holds the end of what it said; a busy machine may be the cause.',
  },
  ProgramFailed: {
    meaning: 'A program that the tour runs ended with an error.',
    mender: 'caller',
    remedy: 'The message holds the end of what it said.',
  },
};
