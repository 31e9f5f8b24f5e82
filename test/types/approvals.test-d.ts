import { type ApprovalLinks, Approvals, type ApprovalsProps, type WaitPaths } from '../../lib/index.ts';
import { bus, queue, role, stack } from './surroundings.ts';

const props: ApprovalsProps = { bus, auditQueue: queue, revocation: ['replace'], onExpiry: 'refuse' };
const approvals = new Approvals(stack, 'Approvals', props);
declare const paths: Parameters<typeof approvals.waitState>[3];
paths satisfies WaitPaths;
approvals.grantRequest(role);
approvals.grantAnswer(role);
const links: ApprovalLinks = { from: 'rekey@example.com', addresses: { bob: 'bob@example.com' } };
new Approvals(stack, 'Links', { ...props, approvers: ['bob'], links });
// @ts-expect-error links are mailed from somewhere
new Approvals(stack, 'Nowhere', { ...props, links: { addresses: { bob: 'bob@example.com' } } });
// @ts-expect-error there are two ways of revoking
new Approvals(stack, 'Mode', { ...props, revocation: ['remove'] });
// @ts-expect-error the time ends in one of two ways
new Approvals(stack, 'Expiry', { ...props, onExpiry: 'ask' });
