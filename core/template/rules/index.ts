import type { TemplateRule } from '../rule.ts';
import { accessKeyInTemplate } from './access-key-in-template.ts';
import { cachePasswordAvoidable } from './cache-password-avoidable.ts';
import { consumerCannotReadSecret } from './consumer-cannot-read-secret.ts';
import { containerEnvironmentSecret } from './container-environment-secret.ts';
import { databasePasswordAvoidable } from './database-password-avoidable.ts';
import { databaseWithoutTls } from './database-without-tls.ts';
import { grantCrossesEnvironments } from './grant-crosses-environments.ts';
import { keyGrantTooBroad } from './key-grant-too-broad.ts';
import { keyWithoutRotation } from './key-without-rotation.ts';
import { kubernetesSecretAvoidable } from './kubernetes-secret-avoidable.ts';
import { liveValueOverwritten } from './live-value-overwritten.ts';
import { parameterExposed } from './parameter-exposed.ts';
import { plaintextSecretExposed } from './plaintext-secret-exposed.ts';
import { replicaDropped } from './replica-dropped.ts';
import { resolvedSecretExposed } from './resolved-secret-exposed.ts';
import { rotationIntervalTooLong } from './rotation-interval-too-long.ts';
import { secretGrantTooBroad } from './secret-grant-too-broad.ts';
import { secretPolicyOpen } from './secret-policy-open.ts';
import { secretReplaced } from './secret-replaced.ts';
import { secretValueInState } from './secret-value-in-state.ts';
import { secretValueInTemplate } from './secret-value-in-template.ts';
import { secretWithoutCustomerKey } from './secret-without-customer-key.ts';
import { secretWithoutRotation } from './secret-without-rotation.ts';

/** Every rule for templates, in the order of the alphabet. */
export const templateRules: readonly TemplateRule[] = [
  accessKeyInTemplate,
  cachePasswordAvoidable,
  consumerCannotReadSecret,
  containerEnvironmentSecret,
  databasePasswordAvoidable,
  databaseWithoutTls,
  grantCrossesEnvironments,
  keyGrantTooBroad,
  keyWithoutRotation,
  kubernetesSecretAvoidable,
  liveValueOverwritten,
  parameterExposed,
  plaintextSecretExposed,
  replicaDropped,
  resolvedSecretExposed,
  rotationIntervalTooLong,
  secretGrantTooBroad,
  secretPolicyOpen,
  secretReplaced,
  secretValueInState,
  secretValueInTemplate,
  secretWithoutCustomerKey,
  secretWithoutRotation,
];
