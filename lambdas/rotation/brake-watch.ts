import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { BrakedRotation, BrakeState } from '../../core/brake.ts';
import { metrics as metricNames } from '../../core/deployed/names.ts';
import { RekeyError, summarizeError } from '../../core/errors/rekey-error.ts';
import { createEvent, type EventOrigin } from '../../core/events/create.ts';
import { findingData } from '../../core/findings/codes.ts';
import type { EventBus } from '../../core/ports.ts';
import type { SecretDescription } from '../../core/secret/secret.ts';
import type { Tools } from '../tools.ts';
import type { BrakeOutcome, FunctionBrake } from './brake.ts';

/** The dependencies of a {@link BrakeWatch}. */
export interface BrakeWatchDependencies {
  /** Brake of the function. @default the function has no brake */
  readonly brake?: FunctionBrake | undefined;
  readonly origin: EventOrigin;
  /** Bus that takes every record, so that the brake holds up no rotation. */
  readonly records: EventBus;
  readonly tools: Tools;
}

/** Asks and tells the brake for one run of a step, and records the outcome. */
export class BrakeWatch {
  readonly #deps: BrakeWatchDependencies;

  constructor(dependencies: BrakeWatchDependencies) {
    this.#deps = dependencies;
  }

  /**
   * Asks the brake whether a rotation may begin, and records what the answer brought.
   * @throws SecretError `RotationBraked` | `CanaryUnfinished`
   */
  async mayBegin({ arn, name }: SecretDescription, token: string): Promise<void> {
    const rotation = { secretArn: arn, token };
    const { brake, tools } = this.#deps;
    const outcome = await brake?.requireReleased(rotation, {
      name,
      stepMs: tools.remainingMs(),
      onBraked: (state) => this.#engaged(state, rotation),
    });
    await this.#report(outcome, rotation);
  }

  async succeeded(rotation: BrakedRotation): Promise<void> {
    await this.#report(await this.#deps.brake?.succeeded(rotation), rotation);
  }

  async failed(
    rotation: BrakedRotation,
    failure: { readonly error: unknown; readonly lasting: boolean },
  ): Promise<void> {
    await this.#report(await this.#deps.brake?.failed(rotation, failure), rotation);
  }

  /** Counts a refusal, so that the alarm lasts while rotations are held up. */
  noteRefusal(error: RekeyError): void {
    const { logger, metrics } = this.#deps.tools;
    logger.warn('this rotation does not begin now, which is no failure of its own');
    if (error.code === 'RotationBraked') metrics.addMetric(metricNames.rotationBraked, MetricUnit.Count, 1);
  }

  async #report(outcome: BrakeOutcome | undefined, rotation: BrakedRotation): Promise<void> {
    const { braked, unreachable } = outcome ?? {};
    if (braked !== undefined) {
      this.#deps.tools.metrics.addMetric(metricNames.rotationBraked, MetricUnit.Count, 1);
      await this.#engaged(braked, rotation);
    }
    if (unreachable !== undefined) await this.#unreachable(unreachable, rotation);
  }

  async #engaged(
    { functionName, code, failed, brakedAt = '' }: BrakeState,
    { token }: BrakedRotation,
  ): Promise<void> {
    const { origin, records } = this.#deps;
    await records.publish([
      createEvent(
        origin,
        'Rotation Function Braked',
        { functionName, failedSecrets: failed },
        { correlationId: token, fact: `${functionName} ${code} ${brakedAt}` },
      ),
    ]);
  }

  async #unreachable(error: unknown, { secretArn, token }: BrakedRotation): Promise<void> {
    const { origin, records } = this.#deps;
    const { code, message } = summarizeError(error);
    const text = `the brake of the function could not be asked or told, and the rotation goes on without it (${code}: ${message})`;
    await records.publish([
      createEvent(
        origin,
        'Finding Raised',
        findingData(secretArn, { code: 'BrakeUnreachable', message: text }),
        { correlationId: token, fact: `${secretArn} ${token} BrakeUnreachable` },
      ),
    ]);
  }
}

/** Tells whether an error says that the rotation was kept from beginning. */
export const isHeldUp = (error: unknown): error is RekeyError =>
  error instanceof RekeyError &&
  ['RotationPaused', 'SecretExpired', 'RotationBraked', 'CanaryUnfinished'].includes(error.code);
