import type { Resource } from '../template/template.ts';
import {
  Choice,
  Imported,
  isOpen,
  Joined,
  literalText,
  openMark,
  Parameter,
  Pseudo,
  Reference,
  Sensitive,
  StoredSecret,
  type Value,
} from '../template/value.ts';
import type { World } from '../template/world.ts';
import type { SecretText } from './secret-id.ts';

/** A text that a value of a template may become. */
export type Written =
  | {
      readonly kind: 'text';
      readonly text: string;
      /** Parts of an ARN that are those of the deploy. @default - it is no such ARN */
      readonly ofDeploy?: { readonly region: boolean; readonly account: boolean };
      readonly region?: string;
      readonly account?: string;
    }
  /** A secret that the templates make themselves, for which the rules for templates are. */
  | { readonly kind: 'own' }
  /** Parts of it are settled elsewhere; the others stand around {@link openMark}. */
  | { readonly kind: 'open'; readonly around: string };

const ownTypes = new Set([
  'AWS::SecretsManager::Secret',
  'AWS::SecretsManager::SecretTargetAttachment',
  'Rekey::SecretsManager::SecretVersion',
]);
/** Characters that stand for the region and the account of the deploy; templates have no use for them. */
const [ofRegion, ofAccount] = ['\ue800', '\ue801'];
const mostTexts = 8;

/** Writes a value of a template as the texts that it may become: more than one where a condition decides. */
export function writtenOf(world: World, template: string, value: Value | undefined): readonly Written[] {
  return raw(world, template, value, 0).slice(0, mostTexts).map(settled);
}

const open: Written = { kind: 'open', around: openMark };

function raw(world: World, template: string, value: Value | undefined, depth: number): readonly Written[] {
  if (value === undefined || value === null || depth > 20) return depth > 20 ? [open] : [];
  const again = (inner: Value | undefined): readonly Written[] => raw(world, template, inner, depth + 1);
  const text = literalText(value);
  if (text !== undefined) return [{ kind: 'text', text }];
  if (value instanceof Sensitive) return again(value.value);
  if (value instanceof Choice) return value.options.flatMap(again).slice(0, mostTexts);
  if (value instanceof Pseudo) return [pseudo(value.name)];
  if (value instanceof Reference) {
    const type = world.byKey.get(value.target)?.type ?? '';
    return [
      ownTypes.has(type) ||
      (/rds|redshift|docdb/i.test(type) && /MasterUserSecret/.test(value.attribute ?? ''))
        ? { kind: 'own' }
        : open,
    ];
  }
  if (value instanceof Parameter) {
    const known = world.parameter(template, value.name);
    if (known?.defaultValue === undefined || known.type.startsWith('AWS::SSM::')) {
      return [{ kind: 'open', around: `${openMark}${value.name}` }];
    }
    return again(known.defaultValue);
  }
  if (value instanceof Imported) {
    const found = world.resolve(value);
    return found instanceof Imported ? [open] : again(found);
  }
  if (value instanceof Joined) {
    return value.parts.reduce<readonly Written[]>(
      (before, part) =>
        before.flatMap((one) => again(part).map((next) => plus(one, next))).slice(0, mostTexts),
      [{ kind: 'text', text: '' }],
    );
  }
  return isOpen(value) ? [open] : [];
}

function pseudo(name: string): Written {
  if (name === 'AWS::Partition') return { kind: 'text', text: 'aws' };
  if (name === 'AWS::Region') return { kind: 'text', text: ofRegion };
  return name === 'AWS::AccountId' ? { kind: 'text', text: ofAccount } : open;
}

function plus(one: Written, next: Written): Written {
  if (one.kind === 'own' || next.kind === 'own') return { kind: 'own' };
  const texts = [one, next].map((each) => (each.kind === 'text' ? each.text : each.around)).join('');
  return one.kind === 'text' && next.kind === 'text'
    ? { kind: 'text', text: texts }
    : { kind: 'open', around: texts };
}

const arn = /^(arn:[^:]*:secretsmanager):([^:]*):([^:]*):(secret:.+)$/s;
/** Region and account that stand in an ARN while it is read. */
const [someRegion, someAccount] = ['us-east-1', '000000000000'];

/** Tells what of an ARN is that of the deploy, and writes something in its place. */
function settled(written: Written): Written {
  if (written.kind !== 'text' || !/[\ue800\ue801]/.test(written.text)) return written;
  const [, before = '', region = '', account = '', rest = ''] = arn.exec(written.text) ?? [];
  if (rest === '' || /[\ue800\ue801]/.test(rest)) {
    return { kind: 'open', around: written.text.replaceAll(/[\ue800\ue801]/g, openMark) };
  }
  const own = { region: region === ofRegion, account: account === ofAccount };
  const text = [before, own.region ? someRegion : region, own.account ? someAccount : account, rest].join(
    ':',
  );
  return { kind: 'text', text, ofDeploy: own, region, account };
}

/** Takes the six random characters off a name, where they look like it: words seldom hold capitals or digits. */
const withoutSuffix = (name: string): string => name.replace(/-(?=[A-Za-z0-9]{6}$)(?=.*[A-Z0-9]).{6}$/, '');

/** Reads a written text by a reader of texts, and adds what only the template tells. */
export function readWritten(
  written: Written,
  read: (text: string) => readonly SecretText[],
): readonly SecretText[] {
  if (written.kind !== 'text') return written.kind === 'own' ? [] : [{ kind: 'open' }];
  const { ofDeploy, region = '', account = '' } = written;
  return read(written.text).map((one) =>
    ofDeploy === undefined || one.kind !== 'secret'
      ? one
      : {
          ...one,
          secret: withoutSuffix(one.secret.split(':').slice(6).join(':')),
          ...(!ofDeploy.region && { region }),
          ...(!ofDeploy.account && { account }),
        },
  );
}

/** Finds the role that a value names: its ARN, or the name of one in the account of the deploy. */
export function roleOf(world: World, template: string, value: Value | undefined): string | undefined {
  if (value instanceof Reference) {
    const role = world.byKey.get(value.target);
    return role === undefined ? undefined : ownRole(role);
  }
  const [written, ...more] = raw(world, template, value, 0);
  if (written?.kind !== 'text' || more.length > 0) return undefined;
  if (!/[\ue800\ue801]/.test(written.text)) return written.text;
  return /:role\/(?:.*\/)?([^/\ue800\ue801]+)$/.exec(written.text)?.[1];
}

const ownRole = ({ type, properties }: Resource): string | undefined =>
  type === 'AWS::IAM::Role' ? (literalText(properties.Arn) ?? literalText(properties.RoleName)) : undefined;

/** Finds the dynamic references in a value, and those that a parameter has by default. */
export function storedSecretsIn(
  world: World,
  template: string,
  parts: readonly Value[],
): readonly StoredSecret[] {
  return parts.flatMap((part) => {
    if (part instanceof StoredSecret) return part.service === 'secretsmanager' ? [part] : [];
    const given = part instanceof Parameter ? world.parameter(template, part.name)?.defaultValue : undefined;
    return given instanceof StoredSecret && given.service === 'secretsmanager' ? [given] : [];
  });
}
