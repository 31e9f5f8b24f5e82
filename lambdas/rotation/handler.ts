import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { systemClock } from '../../adapters/clock.ts';
import { RdsDirectory } from '../../adapters/database-directory.ts';
import { PromptDefinitionStore } from '../../adapters/prompt-definition-store.ts';
import { systemRandom } from '../../adapters/random.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { RekeyError } from '../../core/errors.ts';
import { metrics as metricNames } from '../../core/names.ts';
import { passwordPolicy } from '../../core/password.ts';
import { isRevocationToken } from '../../core/revocation-token.ts';
import type { Rotator } from '../../rotators/rotator.ts';
import { loggable, standardHandler, type Tools } from '../shared/chain.ts';
import { readEnvironment, rotationEnvironmentSchema } from '../shared/environment.ts';
import { emergencyBus, recordBus, recordRoutes } from '../shared/record-bus.ts';
import { targetDefaults } from '../shared/target.ts';
import { parseRotationEvent, type RotationEvent } from './event.ts';
import { isLasting } from './lasting.ts';
import { type LifecycleDependencies, RotationLifecycle, type StepReport } from './lifecycle.ts';
import { endOverlaps, failureOf, retireEventSchema, summarizeOverlaps } from './overlaps.ts';
import { assignedTo } from './redefine.ts';
import type { Overlap, RetireDependencies } from './retire.ts';
import { VersionCache } from './version-cache.ts';

/**
 * The Lambda handler of one secret type: a drop-in for AWS's own rotation functions. Besides the rotation steps it takes
 * what the schedule that ends overlaps sends; see `overlaps.ts`.
 *
 * @example
 * export const handler = rotationHandler(postgresql);
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

  return standardHandler<unknown, void>(async (event, tools) => {
    const dependencies: LifecycleDependencies<S> = {
      rotator,
      strategy: environment.REKEY_STRATEGY,
      store,
      databases,
      definitions,
      records: (isRevocation(event) ? emergencyBus : recordBus)(routes, tools),
      origin: {
        source: 'rekey.rotation',
        environment: environment.REKEY_ENVIRONMENT,
        actor: `lambda:${tools.functionName}`,
        clock: systemClock,
        random: systemRandom,
      },
      passwords,
      target,
      assigned: (description) => assignedTo(description, dependencies),
    };
    const retirement = retireEventSchema.safeParse(event);
    if (retirement.success) {
      // Past the cache: what is read for an overlap is not needed again, and should not stay in memory.
      await retire(retirement.data.RetirePrevious, overlap, { ...dependencies, store: secrets }, tools);
      return;
    }
    const lifecycle = new RotationLifecycle(dependencies);
    // What is left at the begin is the function's timeout.
    const stepMs = tools.remainingMs();
    let parsed: RotationEvent | undefined;
    try {
      parsed = parseRotationEvent(event);
      const { step, secretId, token } = parsed;
      // Operators look for these in the log: they may read why a step failed here, but not the audit log.
      tools.logger.appendKeys({ secret: secretId, step, versionId: token });
      measure(await lifecycle.run(event), tools);
    } catch (error) {
      const now = systemClock.now();
      if (error instanceof RekeyError && error.code === 'RotationPaused') {
        tools.logger.warn('rotations of this secret are paused, which is no failure');
        throw error;
      }
      if (parsed === undefined || (await isLasting(error, parsed, { store, now, stepMs }))) {
        tools.metrics.addMetric(metricNames.rotationFailed, MetricUnit.Count, 1);
      } else {
        tools.logger.warn('the next try may succeed, so this failure is not counted yet');
      }
      throw error;
    }
  });
}

/** An emergency does not wait for its record. */
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
    if ('failure' in outcome) {
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
