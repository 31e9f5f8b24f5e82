import type { ProofDescription, ProofSettings } from './check.ts';
import { proofChecks } from './checks/index.ts';
import type { ReferenceFacts } from './facts.ts';
import { problemDescriptions } from './manifest-problems.ts';
import type { ManifestProblem, Place, SecretReference } from './reference.ts';

/** A thing that was found about a reference, or about a manifest. */
export interface ProofFinding {
  readonly check: string;
  readonly severity: ProofDescription['severity'];
  /** True if it says that something was not proven. */
  readonly unproven: boolean;
  /** Secret that it is about, as written; the file where it is about a manifest. */
  readonly subject: string;
  readonly place: Place;
  readonly message: string;
  readonly fix: string;
}

/** State of a reference after its checks. Warnings do not make it `broken`. */
export type ProofState = 'proven' | 'doubtful' | 'broken' | 'not proven';

/** A reference with what was found about it. */
export interface ProvenReference {
  readonly reference: SecretReference;
  readonly region: string;
  readonly state: ProofState;
  readonly findings: readonly ProofFinding[];
}

/** The end of a preflight. */
export interface PreflightReport {
  readonly references: readonly ProvenReference[];
  /** Findings about manifests, which belong to no reference. */
  readonly manifests: readonly ProofFinding[];
  /** Names of the checks that were not made. */
  readonly skipped: readonly string[];
}

/** Parts of IAM that no check looks at; whoever reports says so. */
export const notLookedAt =
  'service and resource control policies of the organization, session policies and policies of VPC endpoints';

/** Descriptions of everything that a preflight may find. */
export const proofDescriptions: readonly ProofDescription[] = [
  ...proofChecks.map(({ description }) => description),
  ...problemDescriptions,
];

/** Proves references by their facts. */
export function prove(
  all: readonly ReferenceFacts[],
  problems: readonly ManifestProblem[],
  settings: ProofSettings & { readonly skipped: ReadonlySet<string> },
): PreflightReport {
  const checks = proofChecks.filter(({ description: { id } }) => !settings.skipped.has(id));
  return {
    references: all.map((facts) => {
      const { reference, region } = facts;
      const findings = checks.flatMap(({ description, check }) =>
        [...check(facts, settings)].map((remark) =>
          findingOf(description, reference.secret, reference.place, remark),
        ),
      );
      return { reference, region, state: stateOf(findings), findings };
    }),
    manifests: problems.map(({ code, place, message, fix }) => {
      const description = problemDescriptions.find(({ id }) => id === code);
      return findingOf(description ?? { id: code, severity: 'warning', unproven: true }, place.file, place, {
        message,
        fix,
      });
    }),
    skipped: [...settings.skipped],
  };
}

const findingOf = (
  { id, severity, unproven }: Pick<ProofDescription, 'id' | 'severity' | 'unproven'>,
  subject: string,
  place: Place,
  { message, fix }: { readonly message: string; readonly fix: string },
): ProofFinding => ({ check: id, severity, unproven: unproven === true, subject, place, message, fix });

function stateOf(findings: readonly ProofFinding[]): ProofState {
  if (findings.some(({ severity }) => severity === 'error')) return 'broken';
  if (findings.some(({ unproven }) => unproven)) return 'not proven';
  return findings.some(({ severity }) => severity === 'warning') ? 'doubtful' : 'proven';
}

/** Lists everything that was found, in the order of the manifests. */
export const allFindings = ({ references, manifests }: PreflightReport): readonly ProofFinding[] => [
  ...manifests,
  ...references.flatMap(({ findings }) => findings),
];

/**
 * Decides how a preflight ends. Something that was not proven never ends it well, and something wrong counts before it.
 * @param failOn - lowest severity that counts as wrong
 */
export function verdictOf(
  report: PreflightReport,
  failOn: 'error' | 'warning',
): 'proven' | 'wrong' | 'not proven' {
  const findings = allFindings(report);
  const counts = ({ severity, unproven }: ProofFinding) =>
    severity === 'error' || (failOn === 'warning' && severity === 'warning' && !unproven);
  if (findings.some(counts)) return 'wrong';
  return findings.some(({ unproven }) => unproven) ? 'not proven' : 'proven';
}
