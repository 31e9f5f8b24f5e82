/** The part of an AWS SDK v3 client that tracing needs; every client has it. */
interface Traceable {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: never) => Promise<never>,
        context: { readonly commandName?: string },
      ) => (args: never) => Promise<never>,
      options: { step: 'initialize'; name: string; override: boolean },
    ): void;
  };
}

const calls = new WeakMap<object, string>();

/**
 * IAM's names for actions of S3, which differ from the API's. Most other actions have the same name in both.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
const renamed: Readonly<Record<string, string>> = {
  's3:ListObjectsV2': 's3:ListBucket',
  's3:ListObjectVersions': 's3:ListBucketVersions',
};

/**
 * Remembers the action of every error that this client throws. An error of the SDK does not say it, and "access denied" helps
 * those alone who know to what.
 *
 * @param prefix - how IAM names the service: `secretsmanager`, `events`, `states` …
 */
export function traceCalls<Client extends object>(client: Client, prefix: string): Client {
  // The stack's own type has the client's inputs and outputs in it; what is added here touches neither.
  (client as unknown as Traceable).middlewareStack.add(
    (next, { commandName = 'Unknown' }) =>
      async (args) => {
        try {
          return await next(args);
        } catch (error) {
          if (typeof error === 'object' && error !== null) {
            const action = `${prefix}:${commandName.replace(/Command$/, '')}`;
            calls.set(error, renamed[action] ?? action);
          }
          throw error;
        }
      },
    { step: 'initialize', name: 'rekeyCallTrace', override: true },
  );
  return client;
}

/** Names the action whose call ended with this error, or with one that it names as its cause. */
export function failedCall(error: unknown): string | undefined {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 8; depth += 1) {
    const action = calls.get(at);
    if (action !== undefined) {
      return action;
    }
    at = 'cause' in at ? at.cause : undefined;
  }
  return undefined;
}
