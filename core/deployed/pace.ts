/** Name of the bucket that rotations of a revocation take their starts from. */
export const rotationBucket = 'rotate';

/** Names the item of a bucket in the table of plans. No request has such an id. */
export const paceItem = (bucket: string): string => `pace#${bucket}`;

/** Rates of rotations that a deployment may name, in starts a second. */
export const rotationRates = { least: 1, most: 100 } as const;
