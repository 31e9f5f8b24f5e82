import type { Duration } from 'aws-cdk-lib';
import { RekeyError } from '../../core/errors/rekey-error.ts';

/** The prop that a time was given in, and the limits of it in its unit. */
interface GivenTime {
  readonly id: string;
  readonly prop: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/**
 * Reads a time that AWS, or a function, counts in whole days or hours.
 * @throws RekeyError `ConstructInvalid` when it is no whole number, or beyond its limits
 */
export function wholeNumber(
  unit: 'days' | 'hours',
  time: Duration,
  { id, prop, atLeast = 0, atMost = Number.POSITIVE_INFINITY }: GivenTime,
): number {
  const read = (integral: boolean) =>
    unit === 'days' ? time.toDays({ integral }) : time.toHours({ integral });
  if (time.isUnresolved()) return read(true);
  const number = read(false);
  const refuse = (why: string) =>
    new RekeyError('ConstructInvalid', `${id}: ${prop}: ${time.toHumanString()} is ${why}`);
  if (!Number.isInteger(number)) {
    throw refuse(`not a whole number of ${unit}; give it as Duration.${unit}(…)`);
  }
  if (number < atLeast) throw refuse(`too short; the least is Duration.${unit}(${atLeast})`);
  if (number > atMost) throw refuse(`too long; the most is Duration.${unit}(${atMost})`);
  return number;
}
