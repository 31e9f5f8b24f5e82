/**
 * Seconds that one step of a rotation, or one containment, may take by default. It is the timeout of the functions of every
 * type that says nothing else.
 */
export const usualStepSeconds = 60;

/**
 * The longest that any type may take: passwords that an AWS service sets after it has answered. Amazon RDS says of its own
 * rotation that it "typically completes within one minute"; a change that is under way is waited for as well. Lambda
 * allows 15 minutes.
 */
export const longestStepSeconds = 600;

/** Age above which a request for a quarantine is refused, in milliseconds. A late one would cut off sessions that began since. */
export const quarantineMaximumAgeMs = 3_600_000;
