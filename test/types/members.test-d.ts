import type { CoordinatorEnvironment, MemberEnvironment } from '../../lib/index.ts';
import { same } from './same.ts';

const member: MemberEnvironment = {
  environment: 'prod',
  account: '222222222222',
  region: 'us-west-2',
  role: 'rekey-prod-member',
};
same<string | undefined>()(member.role);
// @ts-expect-error an environment lies in a region
const nowhere: MemberEnvironment = { environment: 'prod', account: '222222222222' };
same<string>()(nowhere.region);

const coordinator: CoordinatorEnvironment = {
  environment: 'security',
  account: '111111111111',
  region: 'eu-central-1',
};
same<string>()(coordinator.account);
// @ts-expect-error its role has a name that is agreed on
const named: CoordinatorEnvironment = { ...coordinator, role: 'mine' };
same<string>()(named.environment);
