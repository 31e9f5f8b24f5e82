/** Every secret type, a line each: the name that a configuration gives, and the folder that is the type. */

export { descriptor as elasticache } from './elasticache/descriptor.ts';
export { descriptor as external } from './external/descriptor.ts';
export { descriptor as generic } from './generic/descriptor.ts';
export { descriptor as http } from './http/descriptor.ts';
export { descriptor as 'iam-access-key' } from './iam-access-key/descriptor.ts';
export { descriptor as mysql } from './mysql/descriptor.ts';
export { descriptor as postgresql } from './postgresql/descriptor.ts';
export { descriptor as 'rds-admin' } from './rds-admin/descriptor.ts';
export { descriptor as redis } from './redis/descriptor.ts';
export { descriptor as redshift } from './redshift/descriptor.ts';
