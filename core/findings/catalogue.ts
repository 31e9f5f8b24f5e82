import type { FindingCode } from './codes.ts';

interface FindingEntry {
  /** Sentence that says what was found. */
  readonly meaning: string;
  /** Steps of the person who reads it. */
  readonly remedy: string;
}

/** Meaning and remedy of every code of a finding; docs/findings.md is made of it. */
export const findingCatalogue: Readonly<Record<FindingCode, FindingEntry>> = {
  AbandonedCredentialRemains: {
    meaning: 'A credential of a rotation that was given up could not be revoked at the service.',
    remedy: 'Revoke it there; the message names it, and why Rekey could not. Each rotation tries again.',
  },
  AccountNotRotated: {
    meaning: 'An account of the user has no password that could be rotated, so its login did not change.',
    remedy: 'Nothing, if it is meant. Otherwise give it a password, or remove it.',
  },
  AdminCredentialEnds: {
    meaning:
      'The credential of the admin secret ends so soon that the next rotation may have none to work with.',
    remedy: 'Put another credential, with its `expiresAt`, into the admin secret.',
  },
  AdminSecretUnread: {
    meaning: 'The secret names an admin secret that could not be used, and rotated without it.',
    remedy: 'Name it as `adminSecret` in the configuration, or take `masterarn` out of the secret.',
  },
  AttributeNotCopied: {
    meaning: 'An attribute of the role could not be given to the other user of the pair.',
    remedy: 'Run the statement in the message as an administrator of the server.',
  },
  BrakeUnreachable: {
    meaning:
      'The brake of the rotation function could not be asked or told, and the rotation went on without it.',
    remedy:
      'Give the functions a way to Systems Manager and their permissions back, by a deploy; throttling passes by itself.',
  },
  ChangeNotPersisted: {
    meaning: 'The server could not save the change: a restart brings the old password back.',
    remedy: 'Let it write its ACL file or configuration, then run `ACL SAVE` or `CONFIG REWRITE`.',
  },
  CredentialLeftBehind: {
    meaning:
      'The definition moved the secret to another place; at the former one its credential goes on working.',
    remedy: 'Remove the user there when nobody needs it.',
  },
  CurrentCredentialRefused: {
    meaning:
      'The target refused the current password: somebody changed it outside Rekey. The rotation repaired it.',
    remedy: 'Find out who did. After a containment it is expected.',
  },
  DefaultRoleNotCopied: {
    meaning: 'A default role could not be set for the other user of the pair.',
    remedy: 'Run the statements in the message as that account or as an administrator of the server.',
  },
  DefinitionNotFollowed: {
    meaning: 'What the definition says could not be taken over; the credential rotates where and as it is.',
    remedy:
      'Remove the obstacle that the message names, in `create.fields` or at the admin secret, and deploy.',
  },
  DefinitionNotNoted: {
    meaning: 'That the secret has taken over its definition could not be noted in its tag.',
    remedy:
      'Let the role tag the secret (deploy again); until then each rotation writes the fields once more.',
  },
  DefinitionUnread: {
    meaning: 'The definition could not be read; the credential rotated without it.',
    remedy: 'Check the way to SSM and the permission for the parameter: deploy again.',
  },
  GrantNotCopied: {
    meaning: 'A grant names a table or routine that is gone, so the other user of the pair did not get it.',
    remedy: 'Revoke the grant that leads nowhere, or leave it.',
  },
  GrantsDiffer: {
    meaning:
      'The clone may do what the user that it stands for may not: the application loses that at this rotation.',
    remedy: 'If it is meant, run the statements in the message; if not, take the grant from the clone.',
  },
  KeyStateUnread: {
    meaning: 'Whether a leaked access key is still active could not be read, so it counts as active.',
    remedy: 'Give the function the permission in the message: deploy again.',
  },
  LoginRestored: {
    meaning: 'The user could not log in, as after a containment, and the rotation gave the login back.',
    remedy: 'If a person had locked it on purpose, lock it again.',
  },
  ObjectsNotShared: {
    meaning: 'Objects belong to one user of the pair, and the other cannot change or drop them.',
    remedy: 'Run the statement in the message, or let a third user own them.',
  },
  OrphanedKeyRemoved: {
    meaning: 'A key that a killed run had made and could not store was removed.',
    remedy: 'Nothing.',
  },
  OverlapNotEnded: {
    meaning:
      'The target refuses the current credential and accepts the one before it, which therefore stays.',
    remedy: 'Rotate the secret.',
  },
  PasswordlessLogin: {
    meaning:
      'The user logged in without a password, so everybody could. The rotation gave it one, and whoever logs in without is refused from now on.',
    remedy: 'Look for clients that have no password, and give them the secret.',
  },
  PlaintextConnection: {
    meaning: 'The user logs in without TLS: whoever is in between reads the password.',
    remedy: 'Turn TLS on at the target, then take `"ssl": false` or `allowPlaintext` out.',
  },
  PreviousCredentialRemains: {
    meaning: 'A credential that was replaced still works, since it could not be removed.',
    remedy: 'Remove it at the target by hand; the message says why Rekey could not.',
  },
  ReplicaOutdated: {
    meaning:
      'A replica of the secret in another region is not in step, so that its readers may have the credential before the current one. An overlap goes on until it is; a revocation waits for no replica.',
    remedy:
      'Look at `ReplicationStatus` of `aws secretsmanager describe-secret`, mend what `StatusMessage` says, or remove the replica.',
  },
  ReplicasUnchanged: {
    meaning: 'The server has replicas, which do not get the new password by themselves.',
    remedy: 'Load the same ACL file there (`ACL LOAD`).',
  },
  ReplicationLoginChanged: {
    meaning:
      'Replicas, standbys or Sentinels log in as the user, with a password from their own configuration, which is the old one.',
    remedy: 'Set the new password there, and give replication a user of its own that is rotated apart.',
  },
  SettingNotCopied: {
    meaning: 'A setting of the role could not be given to the other user of the pair.',
    remedy: 'Run the statements in the message as a superuser.',
  },
  SpareKeyRemoved: {
    meaning: 'A key of an earlier version was removed to make room for a new one.',
    remedy: 'Nothing, unless somebody still uses that version.',
  },
};
