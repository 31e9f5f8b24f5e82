/**
 * Version of the event envelope and of every event's data. It stands by itself so that a function that only makes
 * events does not load the schemas of all of them.
 */
export const schemaVersion = 1;
