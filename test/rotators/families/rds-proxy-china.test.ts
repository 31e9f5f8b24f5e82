import { expect, test } from '@jest/globals';
import { isProxyHost } from '../../../core/secret/rds-proxy.ts';
import { rdsRegionOf } from '../../../rotators/transport/tls/rds/regions.ts';

/**
 * Endpoints of RDS in China have `rds` before the region: https://docs.amazonaws.cn/en_us/AmazonRDS/latest/UserGuide/CHAP_GettingStarted.CreatingConnecting.MySQL.html, and the
 * regular expressions for proxies in aws/aws-advanced-jdbc-wrapper (RdsUtils, AURORA_CHINA_DNS_PATTERN). rotators/transport/tls/rds/regions.ts knows that form.
 */
test.each([
  'orders.proxy-c9akciq32.rds.cn-north-1.amazonaws.com.cn',
  'readers.endpoint.proxy-c9akciq32.rds.cn-northwest-1.amazonaws.com.cn',
])('%s is an endpoint of RDS Proxy', (host) => {
  expect(rdsRegionOf(host)).toMatch(/^cn-/);
  expect(isProxyHost(host)).toBe(true);
});
