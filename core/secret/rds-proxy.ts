/**
 * Tells whether a host is an endpoint of RDS Proxy.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-endpoints.html
 */
export const isProxyHost = (host: string): boolean =>
  /\.proxy-[a-z0-9-]+\.(?:[a-z0-9-]+\.rds\.amazonaws\.com(?:\.cn)?|rds\.cn-[a-z0-9-]+\.amazonaws\.com\.cn)\.?$/i.test(
    host,
  );

/** Text on such a host that follows its name: what is wrong, and what to name instead. */
export const proxyAdvice =
  "is an RDS Proxy, which lets in the secret's current password alone, so that a new one could not be tried; name the " +
  'endpoint of the DB instance or cluster in host, and the proxy for consumers under another key, such as proxyHost';
