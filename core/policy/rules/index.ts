import type { PolicyRule } from '../define.ts';
import { accountMissing } from './account-missing.ts';
import { auditRetentionTooShort } from './audit-retention-too-short.ts';
import { auditorMissing } from './auditor-missing.ts';
import { brakeOff } from './brake-off.ts';
import { cadenceUnreasoned } from './cadence-unreasoned.ts';
import { consumersMissing } from './consumers-missing.ts';
import { customerKeyMissing } from './customer-key-missing.ts';
import { definitionNotPromoted } from './definition-not-promoted.ts';
import { dutiesNotSeparated } from './duties-not-separated.ts';
import { dutiesShareAccount } from './duties-share-account.ts';
import { fingerprintsOff } from './fingerprints-off.ts';
import { lifecycleUnrecorded } from './lifecycle-unrecorded.ts';
import { nameNotHeld } from './name-not-held.ts';
import { nobodyNotified } from './nobody-notified.ts';
import { overdueTooLate } from './overdue-too-late.ts';
import { overlapTooLong } from './overlap-too-long.ts';
import { passwordTooWeak } from './password-too-weak.ts';
import { plaintextAllowed } from './plaintext-allowed.ts';
import { promotionPathBroken } from './promotion-path-broken.ts';
import { purposeMissing } from './purpose-missing.ts';
import { replacementTooSeldom } from './replacement-too-seldom.ts';
import { responderMissing } from './responder-missing.ts';
import { rotationInterrupts } from './rotation-interrupts.ts';
import { rotationTooSeldom } from './rotation-too-seldom.ts';
import { secretNeedless } from './secret-needless.ts';
import { secretShared } from './secret-shared.ts';
import { strategyNotAllowed } from './strategy-not-allowed.ts';
import { typeNotAllowed } from './type-not-allowed.ts';
import { valueInConfiguration } from './value-in-configuration.ts';
import { waiverTooLong } from './waiver-too-long.ts';

const all = [
  rotationTooSeldom,
  overdueTooLate,
  overlapTooLong,
  passwordTooWeak,
  typeNotAllowed,
  strategyNotAllowed,
  plaintextAllowed,
  customerKeyMissing,
  purposeMissing,
  consumersMissing,
  rotationInterrupts,
  secretNeedless,
  valueInConfiguration,
  definitionNotPromoted,
  secretShared,
  auditRetentionTooShort,
  accountMissing,
  responderMissing,
  auditorMissing,
  dutiesNotSeparated,
  dutiesShareAccount,
  nameNotHeld,
  nobodyNotified,
  brakeOff,
  lifecycleUnrecorded,
  replacementTooSeldom,
  fingerprintsOff,
  promotionPathBroken,
  cadenceUnreasoned,
  waiverTooLong,
] as const;

/** Name of a rule about the configuration. */
export type PolicyRuleId = (typeof all)[number]['id'];

/** Rules about the configuration, those about secrets first. */
export const policyRules: readonly PolicyRule<PolicyRuleId>[] = all;
