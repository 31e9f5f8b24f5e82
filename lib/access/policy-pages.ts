import { Token } from 'aws-cdk-lib';
import { type IRole, ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { RekeyError } from '../../core/errors/rekey-error.ts';

/** A text of a policy, and the most characters that it can have when it is deployed. */
export interface SizedText {
  readonly text: string;
  readonly size: number;
}

/** A statement that grows: by its resources, or by the values of one condition. */
export interface PagedStatement {
  readonly sid: string;
  readonly actions: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /**
   * Condition that lists the entries as its values: its operator and key, and the resource. @default - the entries are
   * resources
   */
  readonly listedIn?: { readonly operator: string; readonly key: string; readonly resource: SizedText };
}

/**
 * Characters that fit on a page, less the estimates' errors. The first page is the role's own policy, where it shares 10,240
 * characters with the rest; the others are managed policies of 6,144.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const firstPageSize = 4_000;
const pageSize = 5_800;
/** IAM attaches ten managed policies to a role, unless the account has asked for more. */
const mostManagedPolicies = 10;

interface Page {
  readonly add: (statement: PolicyStatement) => void;
  readonly limit: number;
  readonly open: Map<string, { readonly statement: PolicyStatement; readonly values: string[] }>;
  size: number;
}

/**
 * Spreads statements that name many things over the policies of a role.
 *
 * The CDK divides policies, too, but only between statements, and by sizes that it guesses for what is known at the deploy.
 */
export class PolicyPages {
  private readonly role: IRole;
  private readonly pages: Page[];
  private readonly known = new Set<string>();

  constructor(role: IRole) {
    this.role = role;
    this.pages = [
      {
        add: (statement) => role.addToPrincipalPolicy(statement),
        limit: firstPageSize,
        open: new Map(),
        size: 0,
      },
    ];
  }

  /**
   * Adds an entry to a statement, once.
   * @throws Error when the role would need more policies than IAM attaches
   */
  add(kind: PagedStatement, entry: SizedText): void {
    const id = `${kind.sid} ${entry.text}`;
    if (this.known.has(id)) {
      return;
    }
    this.known.add(id);
    const page = this.pageFor(kind, entry);
    const open = page.open.get(kind.sid) ?? this.begin(page, kind);
    page.size += entry.size + 3;
    open.values.push(entry.text);
    if (kind.listedIn === undefined) {
      open.statement.addResources(entry.text);
    } else {
      open.statement.addCondition(kind.listedIn.operator, { [kind.listedIn.key]: [...open.values] });
    }
  }

  private pageFor(kind: PagedStatement, entry: SizedText): Page {
    const last = this.pages.at(-1);
    const needed = (page: Page) => entry.size + 3 + (page.open.has(kind.sid) ? 0 : frameSize(kind));
    if (last !== undefined && last.size + needed(last) <= last.limit) {
      return last;
    }
    const number = this.pages.length;
    if (number > mostManagedPolicies) {
      throw new RekeyError(
        'ConstructInvalid',
        `${this.role.node.path}: what it may do does not fit into the ${mostManagedPolicies} managed policies that IAM attaches to a role; ` +
          'spread the secrets over several environments, or let Rekey create them: those are named by their prefix and tag',
      );
    }
    const policy = new ManagedPolicy(this.role, `Page${number}`, {
      description: `More of what ${this.role.node.path} may do`.slice(0, 1000),
      roles: [this.role],
    });
    const page: Page = {
      add: (statement) => policy.addStatements(statement),
      limit: pageSize,
      open: new Map(),
      size: 50,
    };
    this.pages.push(page);
    return page;
  }

  private begin(page: Page, kind: PagedStatement) {
    const statement = new PolicyStatement({
      sid: kind.sid,
      actions: [...kind.actions],
      ...(kind.conditions !== undefined && { conditions: kind.conditions }),
      ...(kind.listedIn !== undefined && { resources: [kind.listedIn.resource.text] }),
    });
    page.size += frameSize(kind);
    page.add(statement);
    const open = { statement, values: [] };
    page.open.set(kind.sid, open);
    return open;
  }
}

/** Estimates the characters of a statement around its entries. */
const frameSize = ({ sid, actions, conditions, listedIn }: PagedStatement): number =>
  80 +
  sid.length +
  JSON.stringify([actions, conditions ?? {}]).length +
  (listedIn === undefined ? 0 : listedIn.operator.length + listedIn.key.length + listedIn.resource.size + 20);

/** Characters around the name in the ARN of a secret: partition, region, account, and the suffix. */
const secretArnFrame = 80;
/** The longest ARN of a key, a function, a log group by a name that CloudFormation makes. */
const generatedArn = 200;

/** Sizes an ARN: as it stands, or by the name in it, or as long as generated ones get. */
export const sizedArn = (text: string, name?: string): SizedText => ({
  text,
  size: !Token.isUnresolved(text)
    ? text.length
    : name === undefined
      ? generatedArn
      : secretArnFrame + name.length,
});
