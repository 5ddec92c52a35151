/** Versions of the policy and the exactly-once record of how each came to be. */
import { z } from 'zod';
import { GroupId, PolicyVersion, StepId } from './ids.ts';

export const Weights = z.strictObject({
  version: PolicyVersion,
  kind: z.enum(['full', 'lora']),
  /** A Hugging Face model directory (full) or adapter directory (lora). */
  dir: z.string(),
  /** Of the safetensors file, hex. */
  sha256: z.string(),
});
export type Weights = z.infer<typeof Weights>;

/** Appended and fsynced before the trainer is asked to step. */
export const StepIntent = z.strictObject({ step: StepId, groups: z.array(GroupId), parent: PolicyVersion });
export type StepIntent = z.infer<typeof StepIntent>;

/** Appended and fsynced after the checkpoint's manifest is in place. `trained: 0` keeps the version. */
export const StepCommitted = z.strictObject({
  step: StepId,
  groups: z.array(GroupId),
  version: PolicyVersion,
  /** Samples that entered the gradient. */
  trained: z.int().min(0),
  /** sha256 of the checkpoint's manifest, hex. */
  checkpoint: z.string(),
  /** sha256 over (previous chain value, this record without `chain`): equal chains mean equal histories. */
  chain: z.string(),
});
export type StepCommitted = z.infer<typeof StepCommitted>;
