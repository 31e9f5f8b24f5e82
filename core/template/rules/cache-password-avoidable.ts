import { named, type TemplateRule } from '../rule.ts';
import { isAbsent, literalText } from '../value.ts';

/** Warns of caches with one password for all, where login with IAM is to be had. */
export const cachePasswordAvoidable: TemplateRule<'CachePasswordAvoidable'> = {
  description: {
    id: 'CachePasswordAvoidable',
    severity: 'warning',
    demand: 'A cache that knows login with IAM has users of its own in place of one password for all.',
    reason:
      'Everyone shares the token of a cache, and it lasts until somebody changes it; a token of IAM ends after 15 minutes.',
    controls: ['NIST 800-53 r5 IA-5', 'OWASP NHI 2025 NHI4', 'OWASP NHI 2025 NHI9'],
  },
  *check(world) {
    for (const cache of world.ofType('AWS::ElastiCache::ReplicationGroup')) {
      const { AuthToken, Engine, EngineVersion } = cache.properties;
      const major = Number((literalText(EngineVersion) ?? '').split('.')[0]);
      const engine = literalText(Engine) ?? 'redis';
      // https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html: Valkey 7.2 and Redis OSS 7.0, or later.
      if (isAbsent(AuthToken) || !(major >= 7) || !['redis', 'valkey'].includes(engine)) continue;
      yield {
        on: cache,
        property: ['AuthToken'],
        message: 'all clients of this cache share one password',
        fix: `give it a user group with users of type iam in place of ${named(cache, 'AuthToken')}`,
      };
    }
  },
};
