import { notificationChanges } from './notification-changes.ts';
import type { ConfigurationInput } from './schema.ts';
import { signalChanges } from './signal-changes.ts';
import { trailChanges } from './trail.ts';

/** Times at which a change of the configuration takes effect. None of them touches the value that a secret has. */
export const effects = {
  deploy: 'at the deploy',
  rotation: 'at the next rotation',
  refused: 'refused at synth',
} as const;
export type Effect = keyof typeof effects;

/** The effect of adding, changing or removing one field. */
export interface Change {
  readonly effect: Effect;
  readonly what: string;
}

type Environment = ConfigurationInput['environments'][string];
type Value = string | number | boolean;
type Below<Key extends string, Rest extends string> = Rest extends '' ? Key : `${Key}.${Rest}`;
/** Paths to every value of a type. `*` stands for a key that the user chooses, and for an element of a list of objects. */
type PathsOf<T> = T extends Value
  ? ''
  : T extends readonly (infer Element)[]
    ? Element extends Value
      ? ''
      : Below<'*', PathsOf<Element>>
    : string extends keyof T
      ? '*' | Below<'*', PathsOf<T[keyof T]>>
      : { [Key in keyof T & string]: Below<Key, PathsOf<NonNullable<T[Key]>>> }[keyof T & string];

/** Path of a field of an environment, `secrets.*.owner` for example; `secrets.*` is the key itself. */
export type Field = PathsOf<Omit<Environment, 'policy'>> | 'policy';

const deploy = (what: string): Change => ({ effect: 'deploy', what });
const rotation = (what: string): Change => ({ effect: 'rotation', what });

const newPasswords = rotation('new passwords follow it');
const assignment = deploy(
  'stands in the definition, and no value changes: for that user, at that place, the admin acts even where no version of the secret logs in',
);
const ownPasswords = rotation(
  'functions with these rules are made beside the former ones, which go; new passwords follow them',
);
const otherPlace = deploy(
  'the environment is deployed there as a new one; what is in the former place goes on as it was, until `cdk destroy` there',
);
const roles = deploy('the role comes, trusts others, or goes; sessions under a role that goes end');
const reserved = deploy('the functions keep so many executions free from then on');
const groupRule = deploy("the rule of Rekey's security group changes; nothing moves");
const otherVpc = deploy(
  'another network is made beside the former one, and the functions move there; [what stays](#networks-that-change)',
);
const connection = deploy('the way there is added, changed or removed; the network stays');
const approval = deploy(
  'revocations that are asked for later wait for a second person, or no longer do; what waits when nothing is to wait any more fails, and is asked for again',
);
const elsewhere = deploy(
  'requests that come later are, or are not, about that environment; of one that goes, a part under way ends by itself, and is left to people here',
);
const coordinated = deploy(
  'that environment may have its requests be about secrets of this one, or no longer may; what was asked for goes on',
);
const lead = deploy('stands in the definitions of what leads there; revocations that come later follow it');
const admin = rotation(
  'the other one is used, and written as `masterarn` of a created secret; one that cannot be read, or is of another host, fails that rotation before anything is stored',
);
const trust = rotation(
  'functions that trust it are made beside the former ones, which go; the credential is tried by the new ones',
);

/**
 * Every field of an environment, its networks, roles and secrets, and what a change of it does. `docs/deploy.md` shows it,
 * the tests hold each row to the templates, and `test/changes` deploys them.
 */
export const changes = {
  account: otherPlace,
  region: otherPlace,
  'audit.retentionDays': deploy('counts for records that come later; what is written keeps its lock'),
  'rotation.schedule': deploy(
    'secrets without a schedule of their own get it; when they rotate next follows from it; none rotates at once',
  ),
  'rotation.overlapHours': deploy('counts for overlaps that have begun, too'),
  'rotation.graceHours': deploy('counts for credentials that are disabled already, too'),
  'rotation.brakeAfter': deploy(
    'counts from then on, and the next rotation of each function goes first as after new code; 0 takes the brakes away, engaged or not',
  ),
  'rotation.maximumAgeDays': deploy('what counts as overdue; a schedule that is rarer is refused at synth'),
  'passwords.length': newPasswords,
  'passwords.excludeCharacters': newPasswords,
  'passwords.excludeNumbers': newPasswords,
  'passwords.excludePunctuation': newPasswords,
  'passwords.excludeUppercase': newPasswords,
  'passwords.excludeLowercase': newPasswords,
  'passwords.requireEachIncludedType': newPasswords,
  strategies: deploy(
    'nothing that is deployed; a secret whose strategy is no longer among them is refused at synth',
  ),
  eventArchiveDays: deploy('the archive comes, keeps events for so long, or goes with what is in it'),
  fingerprints: deploy(
    'the index comes and is filled with what Secrets Manager keeps, or goes, with what it knew of versions that are kept no more',
  ),
  'notifications.emails': deploy('a new address gets a mail to confirm; one that goes gets no more'),
  'notifications.topicArn': deploy("alarms go there, and Rekey's own topic goes with its addresses"),
  ...notificationChanges,
  'access.operators': roles,
  'access.responders': roles,
  'access.auditors': roles,
  'access.policyAuthors': roles,
  'access.approvers': roles,
  'access.byOwner': deploy(
    'operators and responders act for the owner of their tag `rekey:owner` alone, or for all again',
  ),
  'access.sessionName': deploy(
    'the roles of operators, responders and approvers take sessions of that name alone, or of any; sessions under way go on to their end',
  ),
  'revocation.sources': deploy('requests of other sources are no longer taken; what is under way ends'),
  'revocation.accounts': deploy('requests of other accounts are no longer taken'),
  'revocation.maximumAgeHours': deploy('older requests are refused'),
  'revocation.rotationsPerSecond': deploy('rotations that begin from then on keep the new pace'),
  'quarantine.principals': deploy(
    'quarantines of these principals are carried out from then on; one that stands stays, and can be lifted only while its principal is named',
  ),
  'revocation.members.*': elsewhere,
  'revocation.members.*.environment': elsewhere,
  'revocation.members.*.account': elsewhere,
  'revocation.members.*.region': elsewhere,
  'revocation.members.*.role': elsewhere,
  'revocation.coordinator.environment': coordinated,
  'revocation.coordinator.account': coordinated,
  'revocation.coordinator.region': coordinated,
  'approvals.revocation.kill': approval,
  'approvals.revocation.replace': approval,
  'approvals.minutes': deploy('counts for requests that come later'),
  'approvals.escalateAfterMinutes': deploy('counts for requests that come later'),
  'approvals.onExpiry': deploy('counts for requests that come later'),
  'approvals.breakGlass': deploy('requests that come later may, or may not, go on without approval'),
  'approvals.approvers.*': deploy('that person may answer from then on, or no more, also what waits already'),
  'approvals.approvers.*.email': deploy('links of requests that come later go there, or nowhere'),
  'approvals.mailFrom': deploy(
    'links come from there; without it the page and the key go, and links that were sent lead nowhere',
  ),
  'reservedConcurrency.intake': reserved,
  'reservedConcurrency.workflow': reserved,
  'reservedConcurrency.containment': reserved,
  'reservedConcurrency.writer': reserved,
  'reservedConcurrency.quota': deploy('nothing that is deployed; what would be too much is refused at synth'),
  'lifecycle.remindDaysBefore': deploy('the owners of secrets are reminded at those days'),
  'manualSecrets.*': deploy('the key is for the configuration and its parameter alone'),
  'manualSecrets.*.adopt': deploy('that secret is looked after; the former one is left as it is'),
  'manualSecrets.*.owner': deploy(
    'is recorded with the next run of the lifecycle, and reminded from then on',
  ),
  'manualSecrets.*.purpose': deploy('stands in its parameter'),
  'manualSecrets.*.consumers': deploy('stands in its parameter'),
  'manualSecrets.*.replaceEveryDays': deploy('counts from the time at which the current value was stored'),
  'manualSecrets.*.expires': deploy('the owner is reminded of it'),
  'consumers.*': deploy('another name is another workload'),
  'consumers.*.leadsTo.*.secret': lead,
  'consumers.*.leadsTo.*.task': lead,
  ...signalChanges,
  ...trailChanges,
  policy: deploy('nothing that is deployed; what breaks a rule of severity error is refused at synth'),
  'networks.*': deploy(
    'another name makes another network, with functions of its own; the former one [stays](#networks-that-change)',
  ),
  'networks.*.existing.vpcId': otherVpc,
  'networks.*.existing.subnetIds': deploy('the functions of the network move there; they stay the same'),
  'networks.*.existing.securityGroupIds': deploy(
    "the functions of the network get them; they stay the same, and so does [Rekey's group](#networks-that-change), if there was one",
  ),
  'networks.*.existing.egress.*.to': groupRule,
  'networks.*.existing.egress.*.port': groupRule,
  'networks.*.existing.egress.*.protocol': groupRule,
  'networks.*.create.cidr': otherVpc,
  'networks.*.create.availabilityZones': otherVpc,
  'networks.*.create.ports': groupRule,
  'networks.*.create.connect.*.to': connection,
  'networks.*.create.connect.*.vpcId': connection,
  'networks.*.create.connect.*.transitGatewayId': connection,
  'networks.*.create.egress.*.to': groupRule,
  'networks.*.create.egress.*.port': groupRule,
  'networks.*.create.egress.*.protocol': groupRule,
  'secrets.*': deploy(
    'the key is for the configuration alone: another one for the same secret changes nothing',
  ),
  'secrets.*.type': rotation(
    'the functions of the other type take the JSON as it is; where it is not one of theirs, a created secret is refused at synth, and the rotation of an adopted one fails before anything is stored. `generic` would give it a value that no target knows: make that a secret of its own',
  ),
  'secrets.*.strategy': rotation(
    'functions of that strategy take over from the user that is in use; with `alternating-users` that rotation makes the second user',
  ),
  'secrets.*.create.name': deploy(
    'another secret is created; the former one keeps its value and rotates no more. Going back: adopt it, as its name is taken',
  ),
  'secrets.*.create.fields.*': rotation(
    'is written into the JSON, where the credential follows: [by type](#fields-of-created-secrets)',
  ),
  'secrets.*.adopt': deploy(
    'name and full ARN are the same; another one is another secret, and the former keeps its value and rotates no more. From `create`: the secret, its value and its schedule stay. To `create`: refused at synth, as the secret exists',
  ),
  'secrets.*.encryptionKey': deploy(
    'the functions may use it; the secret is encrypted with the key that it has, `aws secretsmanager update-secret --kms-key-id` changes that',
  ),
  'secrets.*.rotationFunction': rotation('that function is called'),
  'secrets.*.adminSecret.secret': admin,
  'secrets.*.adminSecret.adopt': admin,
  'secrets.*.adminSecret.encryptionKey': deploy('the functions may use it'),
  'secrets.*.identity.username': assignment,
  'secrets.*.identity.host': assignment,
  'secrets.*.identity.port': assignment,
  'secrets.*.identity.ssl': assignment,
  'secrets.*.network': rotation(
    'functions in that network take over; those that are no longer needed go with the deploy',
  ),
  'secrets.*.owner': deploy(
    'stands in the definition; with `access.byOwner` also in a tag of a created secret, and others act on it from then on',
  ),
  'secrets.*.purpose': deploy('stands in the definition'),
  'secrets.*.expires': deploy(
    'the secret ends after that day. A later day, or none, lets a secret that has ended rotate again',
  ),
  'secrets.*.consumers': deploy('stands in the definition'),
  'secrets.*.leadsTo.*.secret': lead,
  'secrets.*.leadsTo.*.task': lead,
  'secrets.*.passwords.length': ownPasswords,
  'secrets.*.passwords.excludeCharacters': ownPasswords,
  'secrets.*.passwords.excludeNumbers': ownPasswords,
  'secrets.*.passwords.excludePunctuation': ownPasswords,
  'secrets.*.passwords.excludeUppercase': ownPasswords,
  'secrets.*.passwords.excludeLowercase': ownPasswords,
  'secrets.*.passwords.requireEachIncludedType': ownPasswords,
  'secrets.*.schedule': deploy('when it rotates next follows from it; it does not rotate at once'),
  'secrets.*.maximumAgeDays': deploy('what counts as overdue; a schedule that is rarer is refused at synth'),
  'secrets.*.rotateOnDeploy': deploy(
    'nothing, once the secret has been rotated. Turned on for an adopted secret that is deployed already: refused at synth, use `rekey secret rotate`',
  ),
  'secrets.*.allowPlaintext': trust,
  'secrets.*.resources': rotation(
    'functions that may change those are made beside the former ones, which go; the credential is tried by the new ones',
  ),
  'secrets.*.allowPrivateAddresses': trust,
  'secrets.*.certificateAuthority': trust,
} as const satisfies Record<Field, Change>;
