import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { RdsDirectory } from '../../adapters/database-directory.ts';
import { PromptBrakeStore } from '../../adapters/prompt-brake-store.ts';
import { PromptDefinitionStore } from '../../adapters/prompt-definition-store.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import { brakesPath, metrics as metricNames } from '../../core/deployed/names.ts';
import { retireEventSchema } from '../../core/deployed/overlap-event.ts';
import { isRevocationToken } from '../../core/deployed/revocation-token.ts';
import {
  type RotationEnvironment,
  readEnvironment,
  rotationEnvironmentSchema,
} from '../../core/deployed/variables.ts';
import type { Rotator } from '../../core/rotator.ts';
import { passwordPolicy } from '../../core/secret/password.ts';
import { assignedTo } from '../rotation/apply-definition.ts';
import { FunctionBrake } from '../rotation/brake.ts';
import { BrakeWatch, isHeldUp } from '../rotation/brake-watch.ts';
import { parseRotationEvent, type RotationEvent } from '../rotation/event.ts';
import { isLasting } from '../rotation/lasting-failure.ts';
import { type LifecycleDependencies, RotationLifecycle, type StepReport } from '../rotation/lifecycle.ts';
import { endOverlaps, failureOf, type Overlap, summarizeOverlaps } from '../rotation/overlaps.ts';
import type { RetireDependencies } from '../rotation/retire.ts';
import { VersionCache } from '../rotation/version-cache.ts';
import type { Tools } from '../tools.ts';
import { originOf } from './origin.ts';
import { emergencyBus, recordBus, recordRoutes } from './record-bus.ts';
import { loggable, standardHandler } from './standard-handler.ts';
import { targetDefaults } from './target.ts';

/**
 * Makes the Lambda handler of one secret type: a drop-in for AWS's own rotation functions. Besides the rotation steps it takes
 * the event of the schedule that ends overlaps; see `overlaps.ts`. `lib/function/bundle.ts` writes the modules that call it.
 *
 * @example
 * export const handler = rotationHandler(rotator);
 */
export function rotationHandler<S extends object>(rotator: Rotator<S>) {
  const environment = readEnvironment(rotationEnvironmentSchema);
  const secrets = new SecretsManagerStore(new SecretsManagerClient({}));
  const store = new VersionCache(secrets, systemClock);
  const routes = recordRoutes(environment);
  const databases = new RdsDirectory();
  const definitions = new PromptDefinitionStore(environment.REKEY_ENVIRONMENT);
  const passwords = passwordPolicy(process.env);
  const target = targetDefaults(environment);
  const overlap = {
    overlapHours: environment.REKEY_OVERLAP_HOURS,
    graceHours: environment.REKEY_GRACE_HOURS,
  };

  let brake: FunctionBrake | undefined;

  return standardHandler<unknown, void>(async (event, tools) => {
    // What is left at the begin is the function's timeout.
    const stepMs = tools.remainingMs();
    const origin = originOf('rekey.rotation', environment, tools);
    brake ??= brakeOf(environment, tools.functionName, stepMs);
    const watch = new BrakeWatch({ brake, origin, records: emergencyBus(routes, tools), tools });
    const dependencies: LifecycleDependencies<S> = {
      rotator,
      strategy: environment.REKEY_STRATEGY,
      store,
      databases,
      definitions,
      records: (isRevocation(event) ? emergencyBus : recordBus)(routes, tools),
      origin,
      passwords,
      target,
      assigned: (description) => assignedTo(description, dependencies),
      mayBegin: (secret, token) => watch.mayBegin(secret, token),
    };
    const retirement = retireEventSchema.safeParse(event);
    if (retirement.success) {
      // Past the cache: what is read for an overlap is not needed again, and should not stay in memory.
      await retire(retirement.data.RetirePrevious, overlap, { ...dependencies, store: secrets }, tools);
      return;
    }
    const lifecycle = new RotationLifecycle(dependencies);
    let parsed: RotationEvent | undefined;
    try {
      parsed = parseRotationEvent(event);
      const { step, secretId, token } = parsed;
      // Operators look for these in the log: they may read why a step failed here, but not the audit log.
      tools.logger.appendKeys({ secret: secretId, step, versionId: token });
      const report = await lifecycle.run(event);
      measure(report, tools);
      if (report.announced === true) {
        const { rotationMs } = report;
        await watch.succeeded({
          secretArn: lifecycle.secretArn ?? secretId,
          token,
          ...(rotationMs !== undefined && { began: new Date(systemClock.now().getTime() - rotationMs) }),
        });
      }
    } catch (error) {
      if (isHeldUp(error)) {
        watch.noteRefusal(error);
        throw error;
      }
      const now = systemClock.now();
      const lasting = parsed === undefined || (await isLasting(error, parsed, { store, now, stepMs }));
      if (lasting) {
        tools.metrics.addMetric(metricNames.rotationFailed, MetricUnit.Count, 1);
      } else {
        tools.logger.warn('the next try may succeed, so this failure is not counted yet');
      }
      if (parsed !== undefined && lifecycle.secretArn !== undefined) {
        await watch.failed({ secretArn: lifecycle.secretArn, token: parsed.token }, { error, lasting });
      }
      throw error;
    }
  });
}

/** Longest life of a canary, in times of a step's longest duration: the four steps, and the time between them. */
const canaryLasts = 5;

function brakeOf(
  environment: RotationEnvironment,
  functionName: string,
  stepMs: number,
): FunctionBrake | undefined {
  const { REKEY_BRAKE: name, REKEY_BRAKE_AFTER: after, REKEY_CODE: code } = environment;
  if (name === undefined || after === undefined || code === undefined) return undefined;
  return new FunctionBrake({
    store: new PromptBrakeStore(`${brakesPath(environment.REKEY_ENVIRONMENT)}/${name}`),
    rules: { functionName, code, after, leaseMs: canaryLasts * stepMs },
    clock: systemClock,
    random: systemRandom,
  });
}

/** Tells whether an event is of a revocation's rotation. An emergency does not wait for its record. */
const isRevocation = (event: unknown): boolean =>
  isRevocationToken(Reflect.get(Object(event), 'ClientRequestToken'));

async function retire<S extends object>(
  secrets: readonly string[],
  overlap: Overlap,
  dependencies: RetireDependencies<S>,
  { logger, remainingMs }: Tools,
): Promise<void> {
  const outcomes = await endOverlaps(secrets, overlap, { ...dependencies, remainingMs });
  logger.info('overlaps', { overlaps: summarizeOverlaps(outcomes) });
  for (const outcome of outcomes) {
    if (outcome.outcome === 'failed') {
      logger.error('overlap not ended', { secret: outcome.secret, ...loggable(outcome.failure) });
    }
  }
  const failure = failureOf(outcomes);
  if (failure !== undefined) throw failure;
}

function measure({ step, done, rotationMs }: StepReport, { logger, metrics }: Tools): void {
  logger.info(done ? 'step done' : 'nothing left to do');
  if (step === 'finishSecret' && done) {
    metrics.addMetric(metricNames.rotationSucceeded, MetricUnit.Count, 1);
    if (rotationMs !== undefined) {
      metrics.addMetric(metricNames.rotationDuration, MetricUnit.Milliseconds, rotationMs);
    }
  }
}
