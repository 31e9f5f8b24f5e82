import {
  type Fault,
  type TemplateRule,
  type TemplateSettings,
  type TemplateViolation,
  usualSettings,
  violationOf,
} from './rule.ts';
import { templateRules } from './rules/index.ts';
import type { Template, Waiver } from './template.ts';
import { type World, worldOf } from './world.ts';

/** A waiver that names what it exempts, as a file beside templates holds it. */
export interface NamedWaiver extends Waiver {
  /** Construct's path, logical id or address. */
  readonly subject: string;
  /** True if it also holds for whatever lies below the construct. @default false */
  readonly below?: boolean;
}

/** A request to check templates, with what to go by. */
export interface TemplateCheck {
  readonly templates: readonly Template[];
  /**
   * Templates as they are deployed, by the name of the one that follows.
   * @default - none, and nothing is compared
   */
  readonly deployed?: ReadonlyMap<string, Template>;
  readonly settings?: Partial<TemplateSettings>;
  readonly waivers?: readonly NamedWaiver[];
  /** Day on which waivers are held to their end, as `YYYY-MM-DD`. */
  readonly today: string;
  /**
   * Rules to go by.
   * @default - all of {@link templateRules}
   */
  readonly rules?: readonly TemplateRule[];
}

/** A violation that somebody waived, with the reason. */
export interface WaivedViolation extends TemplateViolation {
  readonly waiver: Waiver;
}

/** Violations that stand, and those that were waived, in the order of the templates. */
export interface TemplateReport {
  readonly violations: readonly TemplateViolation[];
  readonly waived: readonly WaivedViolation[];
}

/**
 * Checks templates by the rules. Templates that are given together know each other's exports, so a rotation in one stack counts
 * for the secret in another.
 *
 * @example
 * const template = readCloudFormation('orders.json', json);
 * checkTemplates({ templates: [template], today: '2026-11-28' }).violations;
 */
export function checkTemplates({
  templates,
  deployed = new Map(),
  settings = {},
  waivers = [],
  today,
  rules = templateRules,
}: TemplateCheck): TemplateReport {
  const world = worldOf(templates, deployed);
  const limits = { ...usualSettings, ...settings };
  const found = rules.flatMap((rule) =>
    [...rule.check(world, limits)]
      .filter(({ on }) => !('ownedByCdk' in on && on.ownedByCdk))
      .map((fault) => ({ fault, violation: violationOf(rule.description, fault) })),
  );
  const order = orderOf(world);
  found.sort((one, other) => order(one.fault) - order(other.fault));
  const violations: TemplateViolation[] = [];
  const waived: WaivedViolation[] = [];
  for (const { fault, violation } of found) {
    const all = waiversFor(fault, violation, waivers);
    const standing = all.find(({ until }) => until === undefined || until >= today);
    const ended = all.find(({ until }) => until !== undefined && until < today);
    if (standing !== undefined) waived.push({ ...violation, waiver: standing });
    else if (ended === undefined) violations.push(violation);
    else {
      violations.push({ ...violation, message: `${violation.message}; its waiver ended on ${ended.until}` });
    }
  }
  return { violations, waived };
}

/** Finds what exempts a place: the resource's own metadata, or a line of the file beside the templates. */
function waiversFor(
  { on }: Fault,
  { rule, subject, place }: TemplateViolation,
  named: readonly NamedWaiver[],
): readonly Waiver[] {
  const own = 'waivers' in on ? on.waivers : [];
  return [
    ...own.filter((one) => one.rule === rule),
    ...named.filter(
      (one) =>
        one.rule === rule &&
        (one.subject === subject ||
          one.subject === place.id ||
          (one.below === true && subject.startsWith(`${one.subject}/`))),
    ),
  ];
}

/** Orders faults by where they stand, so that a report reads like the templates. */
function orderOf({ templates }: World): (fault: Fault) => number {
  const places = new Map<unknown, number>();
  for (const { parameters, resources, outputs } of templates) {
    for (const one of [...parameters, ...resources, ...outputs]) places.set(one, places.size);
  }
  return ({ on }) => places.get(on) ?? places.size;
}
