import type { Entries } from './entry.ts';

/** Errors of the work around a rotation. */
export const rotation: Entries<'rotation'> = {
  RotationNotStarted: {
    meaning: 'Secrets Manager did not start the rotation, for a reason that the message names.',
    mender: 'nobody, it passes',
    remedy: 'If it stays, look the name up in the API reference of RotateSecret.',
  },
  PasswordPolicyInvalid: {
    meaning: 'The rules for generated passwords contradict each other, or what the target demands.',
    mender: 'operator',
    remedy: 'Correct `passwords` in the configuration as the message says, and deploy.',
  },
  DefinitionInvalid: {
    meaning: 'The SSM parameter of a secret does not hold its definition.',
    mender: 'operator',
    remedy: 'Deploy the app again, which writes it.',
  },
  DefinitionUnavailable: {
    meaning: 'The definition of a created secret could not be read for its first rotation, which needs it.',
    mender: 'nobody, it passes',
    remedy: 'If it stays, check the way to Systems Manager from the network of the function.',
  },
  DefinitionUnreadable: {
    meaning: 'The same, and it does not pass by itself: the role may not read it, or it is none.',
    mender: 'operator',
    remedy: 'Deploy the environment again, which writes the parameter and the permission.',
  },
  OverlapsNotEnded: {
    meaning:
      'The credential before the current one of some secrets could not be retired; the current ones work.',
    mender: 'operator',
    remedy: 'The log names a code for each secret: remove those causes. All are tried again every hour.',
  },
  OverlapsDelayed: {
    meaning: 'The same, and at least one of the causes passes by itself.',
    mender: 'nobody, it passes',
    remedy: 'All are tried again every hour; if it stays, the log names a code for each secret.',
  },
  ForeignRotationFailed: {
    meaning: 'A rotation function that is not Rekey’s failed.',
    mender: 'owner of the secret',
    remedy: 'Its own log, `/aws/lambda/<name>`, says why. Secrets Manager tries again.',
  },
  RotationAbandoned: {
    meaning:
      'Somebody stored a version by hand while a rotation was under way, so Secrets Manager gave that up.',
    mender: 'operator',
    remedy: 'Rotate again.',
  },
  ObservationMalformed: {
    meaning: 'An event about a rotation has not the form in which Secrets Manager tells of one.',
    mender: 'maintainers of Rekey',
    remedy: 'AWS has changed the event; the message names the fields. Nothing else is affected.',
  },
  LifecycleIncomplete: {
    meaning:
      'Some secrets could not be looked after: a reminder, the record of an owner, or the end of an expired secret is missing.',
    mender: 'operator',
    remedy: 'The log of the function names each secret with its code; mend that. The next run tries again.',
  },
  FunctionMisconfigured: {
    meaning: 'An environment variable of a function, or a file beside it, is missing or not valid.',
    mender: 'operator',
    remedy: 'The function was changed outside the deployment: deploy again.',
  },
  AnswerNotStored: {
    meaning: 'The answer to CloudFormation about a first rotation could not be stored.',
    mender: 'nobody, it passes',
    remedy: 'Lambda tries again. If it stays, CloudFormation ends the deploy after an hour; deploy again.',
  },
  Unexpected: {
    meaning: 'An error that Rekey did not foresee; its text is withheld, since it may quote a value.',
    mender: 'maintainers of Rekey',
    remedy:
      'Report it with the name of the error and the step. Nothing has to be undone: every step can run again.',
  },
};
