import type { Entries } from './entry.ts';

/** Errors of requests for revocation, and of the workflow that does them. */
export const revocation: Entries<'revocation'> = {
  RequestMalformed: {
    meaning: 'Fields of the request are missing, unknown or of a wrong form; nothing was done.',
    mender: 'sender of the request',
    remedy: 'Correct the fields that the message names and send a new request.',
  },
  RequestConflict: {
    meaning: 'Another request with the same id was taken before, and asks for something else.',
    mender: 'sender of the request',
    remedy: 'Send the request with an id of its own.',
  },
  RequestReplayed: {
    meaning: 'A replay of the event archive brought the request again; nothing was done.',
    mender: 'sender of the request',
    remedy: 'If it is needed now, send a new one with `rekey revoke`.',
  },
  RequestTooOld: {
    meaning: 'The request is older than what is still acted upon; nothing was done.',
    mender: 'sender of the request',
    remedy: 'If it is still needed, send a new one with `rekey revoke`.',
  },
  RequestInFuture: {
    meaning: 'The time of the request is ahead by more than a clock may run fast; nothing was done.',
    mender: 'sender of the request',
    remedy: 'Set the clock of the sender right and send a new request.',
  },
  SourceNotAllowed: {
    meaning: 'The source of the event may not ask for revocations, or not for those of this secret’s owner.',
    mender: 'operator',
    remedy: 'If it should, name it in the configuration and deploy; if not, find out who sent it.',
  },
  AccountNotAllowed: {
    meaning: 'The account of the event may not ask for revocations.',
    mender: 'operator',
    remedy: 'If it should, name it in the configuration and deploy; if not, find out who sent it.',
  },
  EnvironmentMismatch: {
    meaning: 'The request is for another environment than the one whose bus it came to.',
    mender: 'sender of the request',
    remedy: "Send it to that environment's bus.",
  },
  SecretUnknown: {
    meaning: 'The environment has no secret of this name or ARN.',
    mender: 'sender of the request',
    remedy: 'Take the name from `rekey secret list`.',
  },
  SelectionEmpty: {
    meaning: 'The selection finds no secret that Rekey looks after; nothing was done.',
    mender: 'sender of the request',
    remedy: 'See with `rekey revoke … --plan` what a selection finds, and send another one.',
  },
  PlanChanged: {
    meaning: 'The plan is another one than the sender saw and agreed to; nothing was done.',
    mender: 'sender of the request',
    remedy: 'Look at the plan as it is now, and send the request again.',
  },
  MemberUnknown: {
    meaning:
      'The request is about an environment elsewhere that the configuration of this one does not name.',
    mender: 'sender of the request',
    remedy: 'Take names from `revocation.members` of the configuration, or add the member and deploy.',
  },
  VersionsNotKept: {
    meaning: 'Secrets Manager keeps none of the versions that were named.',
    mender: 'sender of the request',
    remedy: 'Name versions that it keeps (`rekey secret show`), or none for all.',
  },
  LabelsOutdated: {
    meaning:
      'Secrets Manager still answers with labels of before the rotation, and nobody healthy is cut off on old answers.',
    mender: 'nobody, it passes',
    remedy: 'The workflow looks again.',
  },
  RotationPending: {
    meaning: 'The rotation that replaces the credential has not ended in the time that the step has.',
    mender: 'nobody, it passes',
    remedy: 'The workflow goes on waiting. If it stays, the log of the rotation function says why.',
  },
  RevocationUnproven: {
    meaning: 'A leaked credential still works, the new one does not, or a named version could not be tried.',
    mender: 'administrator of the target',
    remedy:
      'It is tried again. If it stays, cut the credential off by hand and repeat the revocation; see the runbook revocation-failed.',
  },
  ContainmentFunctionMissing: {
    meaning: 'The definition goes on naming a containment function that does not exist.',
    mender: 'operator',
    remedy: 'Bring the deploy to its end, then send the revocation again.',
  },
  FunctionFailed: {
    meaning:
      'Lambda or Step Functions ended a function of the workflow before it could answer: time, memory, a crash.',
    mender: 'operator',
    remedy: 'It was tried again and failed each time: its log says more. Repeat the revocation.',
  },
  WorkflowEnded: {
    meaning: 'The workflow of the revocation timed out or was aborted before its report.',
    mender: 'sender of the request',
    remedy: 'Repeat the revocation; what was done already is done once.',
  },
};
