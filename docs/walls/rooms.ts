import { secretTypes } from '../../rotators/registry.ts';

/** One room of the house: a folder, and what its code may import. */
export interface Room {
  readonly folder: string;
  /** Other rooms, or single folders and files of them, whose modules it may import. */
  readonly imports: readonly string[];
  /** Rooms inside of those that it may not import all the same. @default - none */
  readonly but?: readonly string[];
  /** True if it may talk to the outside: the AWS SDK, drivers of databases. */
  readonly outside: boolean;
  /** True if it may build on the CDK. */
  readonly cdk: boolean;
}

/** Types that are built on another type: what they hold is one of its credentials. */
const foundations: Readonly<Record<string, readonly string[]>> = {
  elasticache: ['redis'],
  'rds-admin': ['mysql', 'postgresql'],
  redshift: ['postgresql'],
};

const shared = ['rotators/families', 'rotators/transport', 'rotators/descriptor.ts'];

/** Makes the room of one type's rotator. It may import itself, what several types share, and the type that it is built on. */
const typeRoom = (type: string): Room => ({
  folder: `rotators/${type}`,
  imports: ['core', ...shared, ...(foundations[type] ?? []).map((other) => `rotators/${other}`)],
  outside: true,
  cdk: false,
});

/** Modules from which the CDK side and the CLI know a type without its driver. */
const descriptions = ['rotators/registry.ts', 'rotators/descriptor.ts'];

/** Every room from the ground up. Tests, measurements and the tools of a checkout may import whatever they look at. */
export const rooms: readonly Room[] = [
  { folder: 'core', imports: [], outside: false, cdk: false },
  { folder: 'rotators/transport', imports: ['core'], outside: true, cdk: false },
  { folder: 'rotators/families', imports: ['core', 'rotators/transport'], outside: true, cdk: false },
  ...secretTypes.map(typeRoom),
  { folder: 'adapters', imports: ['core'], outside: true, cdk: false },
  { folder: 'adapters/operator', imports: ['core', 'adapters'], outside: true, cdk: false },
  { folder: 'lambdas/audit', imports: ['core', 'lambdas/tools.ts'], outside: false, cdk: false },
  { folder: 'lambdas/rotation', imports: ['core', 'lambdas/tools.ts'], outside: false, cdk: false },
  { folder: 'lambdas/revocation', imports: ['core', 'lambdas/rotation'], outside: false, cdk: false },
  { folder: 'lambdas/quarantine', imports: ['core', 'lambdas/revocation'], outside: false, cdk: false },
  { folder: 'lambdas/approval', imports: ['core'], outside: false, cdk: false },
  { folder: 'lambdas/observation', imports: ['core', 'lambdas/rotation'], outside: false, cdk: false },
  { folder: 'lambdas/fingerprint', imports: ['core'], outside: false, cdk: false },
  { folder: 'lambdas/notification', imports: ['core'], outside: false, cdk: false },
  { folder: 'lambdas/signal', imports: ['core'], outside: false, cdk: false },
  { folder: 'lambdas/trail', imports: ['core'], outside: false, cdk: false },
  {
    folder: 'lambdas/functions',
    imports: ['core', 'adapters', 'rotators', 'lambdas'],
    but: ['adapters/operator'],
    outside: true,
    cdk: false,
  },
  {
    folder: 'lib/config',
    imports: ['core', ...descriptions, 'rotators/transport'],
    outside: false,
    cdk: false,
  },
  { folder: 'lib', imports: ['core', ...descriptions, 'lib/config'], outside: false, cdk: true },
  {
    folder: 'cli',
    imports: ['core', 'adapters', ...descriptions, 'rotators/by-hand.ts', 'rotators/probes.ts', 'lib/config'],
    outside: false,
    cdk: false,
  },
  { folder: 'bin', imports: ['cli', 'lib'], outside: false, cdk: true },
  { folder: 'examples', imports: ['lib'], outside: false, cdk: true },
];
