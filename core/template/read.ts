import { isAssetManifest, readAssetManifest } from './assets.ts';
import { isCloudFormation, readCloudFormation } from './cloudformation.ts';
import type { Template } from './template.ts';
import { isTerraformPlan, readTerraformPlan } from './terraform.ts';

/**
 * Reads a document of a kind that the rules know. Such are CloudFormation templates, Terraform plans and manifests of the CDK's
 * assets.
 * @returns undefined for another document
 */
export function readTemplate(name: string, document: unknown): Template | undefined {
  if (isTerraformPlan(document)) return readTerraformPlan(name, document);
  if (isCloudFormation(document)) return readCloudFormation(name, document);
  return isAssetManifest(document) ? readAssetManifest(name, document) : undefined;
}
